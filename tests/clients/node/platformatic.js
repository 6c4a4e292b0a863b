// @platformatic/kafka against a running broker: platformatic.js HOST:PORT NAME [--sabotage]
// NAME begins the names of topics and groups. --sabotage: a record is kept back, which the checks must find. Prints what compat.py reads.
import zlib from 'node:zlib'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { address, checker, expect, finish, name, sabotage, sleep, values } from './checks.js'

const common = { clientId: name, bootstrapBrokers: [address], retries: 3, timeout: 20_000 }
const check = checker(() => {}, client => client instanceof Consumer ? client.close(true) : client.close())

async function create(open, topic, partitions = 1) {
  await (await open(new Admin(common))).createTopics({ topics: [topic], partitions, replicas: 1 })
}

async function send(open, topic, all, settings = {}) {
  const producer = await open(new Producer({ ...common, serializers: stringSerializers, ...settings }))
  const messages = all.map(value => ({ topic, key: 'key', value, headers: { trace: 'abc' }, partition: 0 }))
  return producer.send({ messages: sabotage ? messages.slice(0, -1) : messages, acks: -1, ...settings })
}

// What a new member of the group gets: so many, and what more there is.
async function consume(open, topic, count, settings = {}) {
  const consumer = await open(new Consumer({ ...common, groupId: topic, deserializers: stringDeserializers, maxWaitTime: 200,
    sessionTimeout: 10_000, heartbeatInterval: 1000 }))
  const stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: false, ...settings })
  const got = []
  stream.on('data', message => got.push(message))
  for (const end = Date.now() + (sabotage ? 4000 : 30_000); got.length < count && Date.now() < end;) await sleep(50)
  await sleep(300)
  return got
}

// zstd is the one that Node has itself, from 22.15 on.
for (const compression of ['none', 'gzip', 'snappy', 'lz4', ...(zlib.zstdCompressSync ? ['zstd'] : [])]) {
  await check(`produce and consume, ${compression}`, async open => {
    const topic = `${name}-${compression}`
    const all = values(500)
    await create(open, topic)
    await send(open, topic, all, { compression })
    const got = await consume(open, topic, all.length)
    expect(all, got.map(message => message.value))
    expect(['key', 'abc', '0'], [got[0].key, got[0].headers.get('trace'), String(got[0].offset)])
  })
}

await check('idempotent producer', async open => {
  const topic = `${name}-idempotent`
  const all = values(200)
  await create(open, topic)
  await send(open, topic, all, { idempotent: true })
  expect(all, (await consume(open, topic, all.length)).map(message => message.value))
})

await check('a group goes on where it committed', async open => {
  const topic = `${name}-commit`
  await create(open, topic)
  await send(open, topic, values(100))
  const got = await consume(open, topic, 100)
  await got.at(-1).commit()
  await (await open(new Admin(common))).describeGroups({ groups: [topic] })
  const producer = await open(new Producer({ ...common, serializers: stringSerializers }))
  await producer.send({ messages: [{ topic, value: 'after', partition: 0 }], acks: -1 })
  const consumer = await open(new Consumer({ ...common, groupId: topic }))
  expect('100', String((await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0] }] })).get(topic)[0]))
})

await check('admin: create, list, delete topics', async open => {
  const topic = `${name}-admin`
  const admin = await open(new Admin(common))
  const made = await admin.createTopics({ topics: [topic], partitions: sabotage ? 2 : 3, replicas: 1 })
  expect([topic, 3], [made[0].name, made[0].partitions])
  expect(true, (await admin.listTopics()).includes(topic))
  await admin.deleteTopics({ topics: [topic] })
  expect(false, (await admin.listTopics()).includes(topic))
})

finish()

// kafkajs against a running broker: kafkajs.js HOST:PORT NAME [--sabotage]
// NAME begins the names of topics and groups. --sabotage: a record is kept back, which the checks must find. Prints what compat.py reads.
// Codecs: what the package brings (none, gzip) and snappy by its plug-in.
import kafkajs from 'kafkajs'
import snappy from 'kafkajs-snappy'
import { address, checker, expect, finish, name, sabotage, sleep, values } from './checks.js'

const { CompressionCodecs, CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs
CompressionCodecs[CompressionTypes.Snappy] = snappy

const kafka = new Kafka({ brokers: [address], clientId: name, logLevel: logLevel.NOTHING, retry: { retries: 3 } })
const check = checker(client => client.connect(), client => client.disconnect())

async function send(open, topic, all, compression = CompressionTypes.None) {
  const producer = await open(kafka.producer({ allowAutoTopicCreation: true }))
  const messages = all.map(value => ({ key: 'key', value, partition: 0 }))
  await producer.send({ topic, messages: sabotage ? messages.slice(0, -1) : messages, acks: -1, compression })
}

// The messages that a new member of the group gets: so many, and what more there is.
async function consume(open, topic, count, settings = {}, wait = sabotage ? 4000 : 30_000) {
  const consumer = await open(kafka.consumer({ groupId: topic, sessionTimeout: 10_000, ...settings }))
  const got = []
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => { got.push(message) } })
  for (const end = Date.now() + wait; got.length < count && Date.now() < end;) await sleep(50)
  await sleep(300)
  return { consumer, got }
}

const texts = messages => messages.map(message => message.value.toString())

for (const codec of ['None', 'GZIP', 'Snappy']) {
  await check(`produce and consume, ${codec.toLowerCase()}`, async open => {
    const topic = `${name}-${codec}`
    await send(open, topic, values(1000), CompressionTypes[codec])
    expect(values(1000), texts((await consume(open, topic, 1000)).got))
  })
}

await check('key, headers and time of creation', async open => {
  const topic = `${name}-fields`
  const producer = await open(kafka.producer())
  await producer.send({ topic, messages: [
    { key: sabotage ? 'other' : 'k', value: 'v', headers: { trace: 'abc' }, timestamp: '1517141411123' }, { key: 'k', value: null }] })
  const { got: [first, second] } = await consume(open, topic, 2)
  expect(['k', 'v', 'abc', '1517141411123'], [first.key.toString(), first.value.toString(), first.headers.trace.toString(), first.timestamp])
  expect(null, second.value)
})

await check('a group goes on where it committed', async open => {
  const topic = `${name}-commit`
  await send(open, topic, values(100))
  const { consumer, got } = await consume(open, topic, 100)
  expect(values(100), texts(got))
  await consumer.commitOffsets([{ topic, partition: 0, offset: '60' }])
  await consumer.disconnect()
  expect(values(100).slice(60), texts((await consume(open, topic, 40)).got))
})

await check('two members share partitions', async open => {
  const topic = `${name}-shared`
  const admin = await open(kafka.admin())
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
  const shares = []
  for (const _ of sabotage ? [1] : [1, 2]) {
    const consumer = await open(kafka.consumer({ groupId: topic, sessionTimeout: 6000, heartbeatInterval: 500 }))
    const index = shares.push([]) - 1
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => { shares[index] = payload.memberAssignment[topic] ?? [] })
    await consumer.subscribe({ topics: [topic] })
    await consumer.run({ eachMessage: async () => {} })
  }
  for (const end = Date.now() + 30_000; !sabotage && Date.now() < end && !shares.every(share => share.length === 2);) await sleep(100)
  expect([0, 1, 2, 3], shares.flat().sort())
  expect([2, 2], shares.map(share => share.length))
})

await check('transactions: committed ones are read, aborted ones are not', async open => {
  const topic = `${name}-transactions`
  const producer = await open(kafka.producer({ transactionalId: topic, maxInFlightRequests: 1, idempotent: true }))
  for (const [value, end] of [['committed', 'commit'], ['aborted', 'abort'], ['committed too', sabotage ? 'abort' : 'commit']]) {
    const transaction = await producer.transaction()
    await transaction.send({ topic, messages: [{ value, partition: 0 }] })
    await transaction[end]()
  }
  expect(['committed', 'committed too'], texts((await consume(open, topic, 2)).got))
})

await check('admin: topics, configurations, offsets, groups', async open => {
  const topic = `${name}-admin`
  const admin = await open(kafka.admin())
  expect(true, await admin.createTopics({ topics: [{ topic, numPartitions: 3, configEntries: [{ name: 'retention.ms', value: '3600000' }] }] }))
  expect(false, await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] }))
  expect(sabotage ? 2 : 3, (await admin.fetchTopicMetadata({ topics: [topic] })).topics[0].partitions.length)
  const described = await admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }], includeSynonyms: false })
  expect('3600000', described.resources[0].configEntries.find(entry => entry.configName === 'retention.ms').configValue)
  expect('100', (await admin.fetchTopicOffsets(`${name}-commit`))[0].offset)
  expect(true, (await admin.listGroups()).groups.some(group => group.groupId === `${name}-commit`))
  await admin.deleteGroups([`${name}-commit`])
  await admin.deleteTopics({ topics: [topic] })
  expect(false, (await admin.listTopics()).includes(topic))
})

finish()

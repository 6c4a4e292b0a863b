// What the checks of Node's clients share: a line for each check, as compat.py reads them, with a limit of time.
// Arguments of the program: HOST:PORT NAME [--sabotage]
export const [address, name, option] = process.argv.slice(2)
export const sabotage = option === '--sabotage'
const timeoutMs = 40_000
let failed = false

export const sleep = milliseconds => new Promise(done => setTimeout(done, milliseconds))

// `test` is given open(client), which hands the client back when it is ready; at the end they are closed, the last one first. `connect` and
// `close` are the library's ways to do that.
export function checker(connect, close) {
  return async function check(what, test) {
    const closing = []
    try {
      const open = async client => {
        await connect(client)
        closing.unshift(client)
        return client
      }
      await Promise.race([test(open), sleep(timeoutMs).then(() => { throw new Error(`not done after ${timeoutMs / 1000} s`) })])
      console.log(`pass  ${what}`)
    } catch (error) {
      failed = true
      console.log(`FAIL  ${what}  (${String(error.message).replaceAll('\n', ' ').slice(0, 300)})`)
    }
    for (const client of closing) {
      try {
        await close(client)
      } catch {
        // what it was closed amid is told above
      }
    }
  }
}

export function expect(expected, found) {
  const [a, b] = [JSON.stringify(expected), JSON.stringify(found)]
  if (a !== b) throw new Error(`expected ${a.slice(0, 100)}, found ${b.slice(0, 100)}`)
}

export const values = count => Array.from({ length: count }, (_, i) => `value ${i} ${'x'.repeat(i % 100)}`)

export function finish() {
  console.log('done')
  process.exit(failed ? 1 : 0)
}

// A worker of the fleet: claims, sends heartbeats, works, reports, until the campaign is done, and tells its parent each
// answer, a JSON line each. A process of its own, since it is there to be killed and stopped:
// node worker.mjs <url of the campaign> <name> <longest work, in ms> <share of runs that fail>
import { setTimeout as sleep } from 'node:timers/promises'

const [, , campaign, worker, longest, failing] = process.argv
const WAIT_SECONDS = 5
const tell = (event, more) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`)

// A worker that tries again until it is answered must not outlive its parent.
process.stdin.once('end', () => process.exit(2)).resume()

for (let number = 1; ; number += 1) {
  const body = { worker, claim_id: `${worker}/${number}`, wait_seconds: WAIT_SECONDS }
  const { http, answer } = await answered('POST', '/claims', body)
  if (http !== 200) {
    tell('confused', { by: 'a claim', http, code: answer.code })
    process.exit(1)
  }
  for (const claim of answer.claims) await run(claim)
  if (answer.claims.length === 0 && answer.done) process.exit(0)
}

async function run({ experiment, attempt, heartbeat_seconds }) {
  const { exp_id } = experiment
  const path = `/experiments/${exp_id}`
  const work_ms = Math.round(timeToWork())
  tell('claimed', { exp_id, attempt, work_ms })
  const stop = new AbortController()
  let refusal = null
  const beats = setInterval(async () => {
    // One that is lost is made good by the next.
    const beat = await call('POST', `${path}/heartbeat`, { attempt, worker }).catch(() => null)
    if (beat === null || beat.http === 200 || beat.http === 503) return
    refusal ??= beat
    stop.abort()
  }, heartbeat_seconds * 1000)
  await sleep(work_ms, undefined, { signal: stop.signal }).catch(() => undefined)
  clearInterval(beats)
  if (refusal !== null) {
    tell('stopped', { exp_id, attempt, http: refusal.http, code: refusal.answer.code })
    return
  }
  const report = reportOf(exp_id, attempt)
  const { http, answer } = await answered('PATCH', path, report)
  const { status, result_path = null } = report
  tell('reported', { exp_id, attempt, status, result_path, http, code: answer.code ?? null })
}

/** Mostly short; one in five may outlast a lease, which only heartbeats keep alive then. */
function timeToWork() {
  if (Number(longest) === 0) return 0
  return Math.random() < 0.8 ? 20 + Math.random() * 180 : 500 + Math.random() * (longest - 500)
}

/** Half of them do not sign, so that the attempt alone must fence them off. */
function reportOf(exp_id, attempt) {
  const signed = Math.random() < 0.5 ? { attempt, worker } : { attempt }
  if (Math.random() < Number(failing))
    return { ...signed, status: 'failed', failure_kind: 'error', error: `by ${worker}` }
  return { ...signed, status: 'completed', result_path: `results/${worker}/${exp_id}/${attempt}.json` }
}

/** The same call until it is answered: the outcome of one whose reply was lost is unknown. */
async function answered(method, path, body) {
  for (;;) {
    const answer = await call(method, path, body).catch(() => null)
    if (answer !== null && answer.http !== 503) return answer
    await sleep(100 + Math.random() * 200)
  }
}

async function call(method, path, body) {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(campaign + path, { method, headers, body: JSON.stringify(body) })
  return { http: answer.status, answer: await answer.json() }
}

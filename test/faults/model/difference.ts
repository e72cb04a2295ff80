import { lostError } from './campaign/lease-model.js'

/** Where two JSON values differ, and how; null when they do not. The order of keys means nothing. */
export function difference(expected: unknown, found: unknown, path = ''): string | null {
  if (Object.is(expected, found)) return null
  if (!isObject(expected) || !isObject(found) || Array.isArray(expected) !== Array.isArray(found)) {
    return `${path === '' ? 'it' : path} should be ${shown(expected)}, but is ${shown(found)}`
  }
  for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    const deeper = difference(expected[key], found[key], `${path}/${key}`)
    if (deeper !== null) return deeper
  }
  return null
}

/** A body without texts, which must be there, and without estimates. @throws Error when texts are missing */
export function withoutProse(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutProse)
  if (typeof value === 'string' && value.startsWith('Lost: ')) return factsOfLoss(value)
  if (!isObject(value)) return value
  const { eta_seconds: _eta, ...rest } = value
  if ('reason' in rest) {
    need(rest, 'reason')
    rest['reason'] = ''
  }
  const facts = String(rest['type']).startsWith('/problems/') ? factsOf(rest) : rest
  return Object.fromEntries(Object.entries(facts).map(([key, item]) => [key, withoutProse(item)]))
}

/** A body of which it does not matter when what happened, only whether it did. */
export function withoutTimes(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/^(lost: .*), \d+ s, /, '$1, ')
  if (Array.isArray(value)) return value.map(withoutTimes)
  if (!isObject(value)) return value
  const isTime = (key: string, item: unknown) =>
    item !== null && (/_(at|until)$/.test(key) || key.startsWith('seconds_since') || key === 'heartbeat_seconds')
  const entries = Object.entries(value).map(([key, item]) => {
    // Of each worker a time.
    if (key === 'bench_lifted' && isObject(item)) return [key, Object.keys(item)]
    return [key, isTime(key, item) ? 'a time' : withoutTimes(item)]
  })
  return Object.fromEntries(entries)
}

function factsOf(problem: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { type, title: _title, detail: _detail, instance: _instance, errors, difference, ...facts } = problem
  for (const key of ['title', 'detail', 'instance']) need(problem, key)
  if (type !== `/problems/${String(facts['code'])}`) throw new Error(`a problem of type ${String(type)}`)
  // What differs is said in more words than one; a test of its own reads them.
  if ((facts['code'] === 'campaign-exists') !== isObject(difference))
    throw new Error(`a problem with ${shown(difference)}`)
  if ((facts['code'] === 'invalid') !== (Array.isArray(errors) && errors.length > 0)) {
    throw new Error(`a problem ${String(facts['code'])} with the errors ${shown(errors)}`)
  }
  return facts
}

/** The worker, the seconds that it was idle and those of the lease. */
function factsOfLoss(error: string): string {
  const worker = /worker ([\w-]+)/.exec(error)?.[1] ?? null
  const [idle = NaN, seconds = NaN] = [...error.matchAll(/\b(\d+) s\b/g)].map(([, number]) => Number(number))
  return lostError(worker, idle, seconds)
}

function need(object: Readonly<Record<string, unknown>>, key: string): void {
  if (typeof object[key] !== 'string' || object[key] === '') throw new Error(`no ${key} in ${shown(object)}`)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value).slice(0, 200)
}

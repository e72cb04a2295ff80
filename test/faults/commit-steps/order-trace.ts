import type { SystemCall } from '../../support/tools.js'

/** An answer to a change, as its bytes were written to a socket. */
export interface Acknowledgement {
  readonly requestId: string
  /** Of the creation or update that it acknowledges; null for a deletion. */
  readonly tag: { readonly uid: string; readonly revision: number } | null
  readonly begin: number
}

/** A change of one file that was brought to the disk; where a step failed or is missing there is none. */
export interface Commit {
  readonly campaign: string
  /** What the file holds; null when it was removed. */
  readonly content: { readonly uid: string; readonly revision: number } | null
  readonly durable: number
}

const WRITES = /^p?writev?2?$|^pwrite64$|^send(to|msg)$/
const RENAMES = /^(rename|link)(at|at2)?$/

/** Every 2xx that was written for a call whose `x-request-id` begins with the prefix. */
export function acknowledgements(calls: readonly SystemCall[], prefix: string): Acknowledgement[] {
  return calls.flatMap(({ name, text, begin }) => {
    if (!WRITES.test(name) || !/HTTP\/1\.1 2\d\d /.test(text)) return []
    const requestId = /x-request-id: ([^\\]+)\\r/.exec(text)?.[1] ?? ''
    if (!requestId.startsWith(prefix)) return []
    const [, uid = '', revision] = /etag: \\"([^"\\]+)-(\d+)\\"/.exec(text) ?? []
    return [{ requestId, tag: revision === undefined ? null : { uid, revision: Number(revision) }, begin }]
  })
}

/** Every commit whose steps all succeeded, one after the other had ended: temp file flushed, name changed, directory flushed. */
export function commits(calls: readonly SystemCall[], directory: string): Commit[] {
  const succeeded = calls.filter(({ text }) => /= \d+$/.test(text))
  const flushes = succeeded.filter(({ name }) => name === 'fsync')
  const directoryFlushes = flushes.filter(({ text }) => text.includes(`<${directory}>`))
  const contents = contentsByTemp(calls)
  return succeeded.flatMap((call): Commit[] => {
    const change = RENAMES.test(call.name) ? readChange(call, directory) : null
    const durable = directoryFlushes.find(({ begin }) => begin > call.end)?.end
    if (change === null || durable === undefined) return []
    const { campaign, temp } = change
    if (temp === null) return [{ campaign, content: null, durable }]
    const content = contents.get(temp)
    const isFlushed = flushes.some(({ text, end }) => text.includes(`<${temp}>`) && end < call.begin)
    return content !== undefined && content.begin < call.begin && isFlushed ? [{ campaign, content, durable }] : []
  })
}

/** The campaign whose name the call gives to a temp file, or takes from its file. */
function readChange({ text }: SystemCall, directory: string): { campaign: string; temp: string | null } | null {
  const [from = '', to = ''] = [...text.matchAll(/"([^"]+)"/g)].map(([, path]) => path)
  const nameOf = (path: string) => (path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : null)
  const given = /^([^.]+)\.json$/.exec(nameOf(to) ?? '')?.[1]
  if (given !== undefined) return { campaign: given, temp: from }
  const taken = /^([^.]+)\.json$/.exec(nameOf(from) ?? '')?.[1]
  return taken === undefined ? null : { campaign: taken, temp: null }
}

function contentsByTemp(calls: readonly SystemCall[]): Map<string, { uid: string; revision: number; begin: number }> {
  const contents = new Map<string, { uid: string; revision: number; begin: number }>()
  for (const { name, text, begin } of calls) {
    if (!WRITES.test(name)) continue
    const temp = /^\d+<([^>]+\.tmp)>/.exec(text)?.[1]
    const revision = /\\"revision\\": (\d+)/.exec(text)?.[1]
    const uid = /\\"uid\\": \\"([^"\\]+)\\"/.exec(text)?.[1]
    if (temp === undefined || revision === undefined || uid === undefined || contents.has(temp)) continue
    contents.set(temp, { uid, revision: Number(revision), begin })
  }
  return contents
}

import type { SystemCall } from '../../support/tools.js'
import type { CommitKind } from './change.js'

/** A system call that a commit makes, as strace counts them from when it is attached. */
export interface Step {
  readonly commit: CommitKind
  readonly thread: 'commit' | 'main'
  readonly call: string
  /** Its place among the calls of this name that the thread makes in one commit, from 1, and how many these are. */
  readonly nth: number
  readonly of: number
  /** True for what concerns files of the store, and not the network or the waking of another thread. */
  readonly onFile: boolean
}

/** A call of the service, and which thread made it; null for one that has no part in commits. */
export type Call = SystemCall & { readonly thread: Step['thread'] | null }

/** Those that both threads make in one commit. */
export function numbered(commit: CommitKind, calls: readonly Call[], dataDir: string): Step[] {
  return calls.flatMap(({ thread, name, text }, index) => {
    if (thread === null) return []
    const same = (other: Call) => other.thread === thread && other.name === name
    const nth = calls.slice(0, index + 1).filter(same).length
    return [{ commit, thread, call: name, nth, of: calls.filter(same).length, onFile: text.includes(dataDir) }]
  })
}

export function describeStep({ commit, thread, call, nth }: Step): string {
  return `${call} ${nth} of a ${commit} in the ${thread} thread`
}

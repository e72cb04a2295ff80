import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'
import type { LockIdentity } from './lock-identity.ts'

/**
 * Where a pid and its start mean one process: boot of the machine, pid namespace, and time namespace, from whose start the ticks are
 * counted. Null where there is no /proc.
 */
interface Scope {
  readonly boot_id: string | null
  readonly pid_namespace: string | null
  readonly time_namespace: string | null
}

const SCOPE = ['boot_id', 'pid_namespace', 'time_namespace'] as const

/** Who holds a data directory, in a file beside the lock: by it a successor knows whether the holder lives. */
export interface OwnerRecord extends Scope {
  readonly host: string
  readonly pid: number
  readonly since: string
  /** Of this owner alone, also when another process took the lock for its own at the same time. */
  readonly token: string
  /** Identity of the lock directory that this owner took, in decimal numbers. */
  readonly lock_inode: string
  readonly lock_birthtime_ns: string | null
  /** When the process started, in clock ticks after the boot: differs from that of a later one with the same pid. */
  readonly start_ticks: string | null
}

export function describeThisProcess(lock: LockIdentity, since: string): OwnerRecord {
  return {
    host: hostname(),
    pid: process.pid,
    since,
    token: randomUUID(),
    lock_inode: String(lock.inode),
    lock_birthtime_ns: lock.birthtimeNs === null ? null : String(lock.birthtimeNs),
    ...scopeOfThisProcess(),
    start_ticks: readOrNull(() => startTicks(process.pid)),
  }
}

/** The record in a file; null when there is none that can be read. */
export function readOwnerRecord(path: string): OwnerRecord | null {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as Partial<OwnerRecord>
    return typeof record.lock_inode === 'string' && typeof record.pid === 'number' ? (record as OwnerRecord) : null
  } catch {
    return null
  }
}

/**
 * True only when the owner was a process of this very boot and namespaces and is gone. Containers on the host's network share host
 * name and boot id but not the pid namespace, and in another time namespace a process seems to have started at another time: nothing
 * can be known of them. Nor of the owner of an earlier version, which named no time namespace.
 */
export function isKnownToBeGone(owner: OwnerRecord): boolean {
  const { pid, start_ticks } = owner
  const here = scopeOfThisProcess()
  if (typeof start_ticks !== 'string' || SCOPE.some((key) => here[key] === null || here[key] !== owner[key]))
    return false
  if (!isThere(pid)) return true
  try {
    return startTicks(pid) !== start_ticks
  } catch {
    // Hidden, or no descriptor is left to read it: nothing is known.
    return false
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

export function isLockOf(owner: OwnerRecord, { inode, birthtimeNs }: LockIdentity): boolean {
  const sameBirth = birthtimeNs === null || owner.lock_birthtime_ns === String(birthtimeNs)
  return owner.lock_inode === String(inode) && sameBirth
}

export function describeOwner(owner: OwnerRecord | null): string {
  return owner === null ? 'an unknown process' : `process ${owner.pid} on ${owner.host} since ${owner.since}`
}

function scopeOfThisProcess(): Scope {
  return {
    boot_id: readOrNull(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pid_namespace: pidNamespace(),
    time_namespace: timeNamespace(),
  }
}

/** Null as well where /proc is that of another namespace, in which our pid is another's. */
function pidNamespace(): string | null {
  return readOrNull(() =>
    readlinkSync('/proc/self') === String(process.pid) ? readlinkSync('/proc/self/ns/pid') : null,
  )
}

/** `none` before Linux 5.6, which knows only one: within a boot the kernel stays the same. */
function timeNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/time')
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : null
  }
}

/**
 * Field 22 of /proc/[pid]/stat (proc(5)); the second is the command in parentheses, which may hold anything. A zombie has ended
 * and holds nothing.
 * @throws the system's error
 */
function startTicks(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null)
}

function readOrNull(read: () => string | null): string | null {
  try {
    return read()
  } catch {
    return null
  }
}

import { readFileSync } from 'node:fs'

/** Resident bytes of a process: now, or at most so far. */
export function residentBytes(pid: number, which: 'now' | 'peak' = 'now'): number {
  const field = which === 'now' ? 'VmRSS' : 'VmHWM'
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status) ?? []
  if (kilobytes === undefined) throw new Error(`process ${pid} has no ${field}`)
  return Number(kilobytes) * 1024
}

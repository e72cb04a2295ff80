import { readdirSync, readFileSync } from 'node:fs'

/** Descriptors for what the service opens beside its connections: files of commits and reads, the tokens file, one to refuse. */
const RESERVE = 64

/** How many connections the process can have. */
export interface FittingConnections {
  readonly connections: number
  /** Files that it may have open; Infinity where that is not limited, or the system does not say. */
  readonly limit: number
}

/**
 * Counts once everything else is open.
 * @param wanted connections at most
 * @throws Error when not even one fits
 */
export function fitConnections(wanted: number): FittingConnections {
  const limit = descriptorLimit()
  if (limit === Infinity) return { connections: wanted, limit }
  const connections = Math.min(wanted, limit - openDescriptors() - RESERVE)
  if (connections >= 1) return { connections, limit }
  throw new Error(`only ${limit} files may be open, which is too few: raise the limit (ulimit -n)`)
}

/** Node has raised the soft limit to the hard one by now. */
function descriptorLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length
}

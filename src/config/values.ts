import { resolve } from 'node:path'
import { Fault } from './config-error.ts'

/** The values of settings, from their text. Each function throws a Fault that says what the value must be. */

export function readPath(text: string): string {
  if (text === '') throw new Fault('must not be empty')
  return resolve(text)
}

/** A function that reads a whole number from `from` to `to`. */
export function integer(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,9}$/.test(text) && value >= from && value <= to) return value
    throw new Fault(`is ${JSON.stringify(text)}, but must be a whole number from ${from} to ${to}`)
  }
}

export function readBoolean(text: string): boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  throw new Fault(`is ${JSON.stringify(text)}, but must be true or false`)
}

export const KIB = 1024
export const MIB = 1024 * KIB

/** A function that reads a number of bytes from `from` to `to`. */
export function size(from: number, to: number): (text: string) => number {
  return (text) => {
    const [, digits = '', unit = ''] = /^(\d{1,15}) ?(KiB|MiB)?$/.exec(text) ?? []
    const bytes = Number(digits) * (unit === 'MiB' ? MIB : unit === 'KiB' ? KIB : 1)
    if (digits !== '' && bytes >= from && bytes <= to) return bytes
    throw new Fault(
      `is ${JSON.stringify(text)}, but must be a size from ${from / KIB}KiB to ${to / MIB}MiB, such as 64MiB`,
    )
  }
}

export function oneOf<const T extends readonly string[]>(text: string, values: T): T[number] {
  if (values.includes(text)) return text
  throw new Fault(`is ${JSON.stringify(text)}, but must be one of ${values.join(', ')}`)
}

/** The parts between commas, without empty ones. */
export function list(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

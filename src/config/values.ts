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

/** Bytes. */
export function readSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+) ?(KiB|MiB)?$/.exec(text) ?? []
  const size = Number(digits) * (unit === 'MiB' ? 1024 * 1024 : unit === 'KiB' ? 1024 : 1)
  if (digits !== '' && size >= 1024 && size <= 512 * 1024 * 1024) return size
  throw new Fault(`is ${JSON.stringify(text)}, but must be a size from 1KiB to 512MiB, such as 16MiB`)
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

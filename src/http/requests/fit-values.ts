import { invalid, jsonPointer } from '../../domain/errors.ts'
import type { LongWork } from '../../domain/long-work.ts'
import type { LargeJson } from '../../runtime/json/large-json.ts'

/** How deep a body may be nested. */
export const MAX_DEPTH = 32

type Path = (string | number)[]

/**
 * @param path where the value is; used as a stack, since a copy for each value would cost more than parsing
 * @throws DomainError `invalid` at a value nested deeper than 32 levels (recursion over it could overflow the stack), at a number
 *   that parsing rounded, and at the key `__proto__`
 */
export function refuseUnfit(value: unknown, path: Path = []): void {
  if (typeof value === 'number' && !isExact(value) && !isMeasured(value, path)) {
    const detail = Number.isFinite(value)
      ? 'is beyond what a number can hold exactly (2^53 - 1)'
      : 'is not a finite number'
    throw invalid({ pointer: jsonPointer(...path), detail })
  }
  if (typeof value !== 'object' || value === null) return
  refuseTooDeep(path)
  if (Array.isArray(value)) refuseUnfitItem(value, path)
  else refuseUnfitMember(value as Record<string, unknown>, path)
}

/** The same of a large value: what is long in it is looked through item by item. */
export function* refuseUnfitLarge({ value, large }: LargeJson, path: Path = []): LongWork<void> {
  if (!large.has(value)) {
    refuseUnfit(value, path)
    return
  }
  refuseTooDeep(path)
  const isArray = Array.isArray(value)
  for (const key of isArray ? value.keys() : Object.keys(value as object)) {
    path.push(key)
    if (!isArray) refuseKey(key, path)
    yield* refuseUnfitLarge({ value: (value as Record<string | number, unknown>)[key], large }, path)
    path.pop()
    yield
  }
}

function refuseTooDeep(path: Path): void {
  if (path.length < MAX_DEPTH) return
  throw invalid({ pointer: jsonPointer(...path), detail: `is nested deeper than ${MAX_DEPTH} levels` })
}

function refuseKey(key: string | number, path: Path): void {
  if (key === '__proto__') throw invalid({ pointer: jsonPointer(...path), detail: 'is not a known field' })
}

function refuseUnfitItem(array: readonly unknown[], path: Path): void {
  for (const [index, item] of array.entries()) {
    path.push(index)
    refuseUnfit(item, path)
    path.pop()
  }
}

function refuseUnfitMember(object: Readonly<Record<string, unknown>>, path: Path): void {
  for (const key of Object.keys(object)) {
    path.push(key)
    refuseKey(key, path)
    refuseUnfit(object[key], path)
    path.pop()
  }
}

/** What was measured was rounded before: only a count or an id must be exact. */
function isMeasured(value: number, path: Path): boolean {
  return path.at(-2) === 'metrics' && Number.isFinite(value)
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

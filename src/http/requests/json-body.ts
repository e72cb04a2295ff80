import type { preValidationHookHandler } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { invalid, jsonPointer } from '../../domain/errors.ts'
import { HttpError } from '../problems/problem.ts'

const MAX_DEPTH = 32
/** Characters: a text up to this length is cheap to parse at any depth. */
const CHEAP_LENGTH = 4096

/** JSON is the only type of body. Values that JSON allows and no manifest can hold are refused here. */
export const jsonBody = fastifyPlugin(
  (app, _options, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, parsed) => {
      try {
        parsed(null, parseBody(text as string))
      } catch (error) {
        parsed(error as Error)
      }
    })
    done()
  },
  { name: 'json-body', fastify: '5.x' },
)

/** Validates no body as `{}`: every field has its default. */
export const optionalBody: preValidationHookHandler = (request, _reply, done) => {
  if (request.body === undefined) request.body = {}
  done()
}

/** @returns undefined for an empty body */
function parseBody(text: string): unknown {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text
  if (json.trim() === '') return undefined
  let value: unknown
  try {
    value = JSON.parse(json.length > CHEAP_LENGTH ? cutTooDeep(json) : json)
  } catch (error) {
    throw new HttpError('malformed-json', `The body is not JSON: ${(error as Error).message}`)
  }
  return cleaned(value, [])
}

/**
 * The text up to where it is nested too deep, with every bracket closed: `cleaned` then reports the place. Parsing a deep text
 * whole would block the event loop.
 */
function cutTooDeep(json: string): string {
  let closers = ''
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at)
    else if (character === '[' || character === '{') {
      if (closers.length === MAX_DEPTH) return `${json.slice(0, at)}[]${closers}`
      closers = (character === '[' ? ']' : '}') + closers
    } else if (character === ']' || character === '}') closers = closers.slice(1)
  }
  return json
}

/** Index of the quotation mark that ends the string beginning at `begin`. */
function endOfString(json: string, begin: number): number {
  for (let at = json.indexOf('"', begin + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let escapes = 0
    while (json[at - 1 - escapes] === '\\') escapes += 1
    if (escapes % 2 === 0) return at
  }
  return json.length
}

/**
 * The value with lone surrogates, which UTF-8 cannot encode, replaced by U+FFFD.
 *
 * @param path where the value is; used as a stack, since a copy for each value would cost more than parsing
 * @throws DomainError `invalid` at a value nested deeper than 32 levels (recursion over it could overflow the stack), at a number
 *   that parsing rounded, and at the key `__proto__`
 */
function cleaned(value: unknown, path: (string | number)[]): unknown {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed()
  if (typeof value === 'number' && !isExact(value)) {
    throw invalid({ pointer: jsonPointer(...path), detail: 'is beyond what a number can hold exactly (2^53 - 1)' })
  }
  if (typeof value !== 'object' || value === null) return value
  if (path.length >= MAX_DEPTH) {
    throw invalid({ pointer: jsonPointer(...path), detail: `is nested deeper than ${MAX_DEPTH} levels` })
  }
  return Array.isArray(value) ? cleanedArray(value, path) : cleanedObject(value as Record<string, unknown>, path)
}

function cleanedArray(array: unknown[], path: (string | number)[]): unknown[] {
  for (const [index, item] of array.entries()) {
    path.push(index)
    array[index] = cleaned(item, path)
    path.pop()
  }
  return array
}

function cleanedObject(object: Record<string, unknown>, path: (string | number)[]): object {
  let isWellFormed = true
  for (const key of Object.keys(object)) {
    path.push(key)
    if (key === '__proto__') throw invalid({ pointer: jsonPointer(...path), detail: 'is not a known field' })
    object[key] = cleaned(object[key], path)
    isWellFormed &&= key.isWellFormed()
    path.pop()
  }
  if (isWellFormed) return object
  return Object.fromEntries(Object.entries(object).map(([key, item]) => [key.toWellFormed(), item]))
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

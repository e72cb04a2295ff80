import { isUtf8 } from 'node:buffer'
import type { preValidationHookHandler } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { invalid, jsonPointer } from '../../domain/errors.ts'
import { HttpError } from '../problems/problem.ts'
import { readBody } from './body.ts'
import type { IncomingBody } from './incoming-body.ts'
import type { IncomingBytes } from './incoming-bytes.ts'

const MAX_DEPTH = 32
/** Characters: a text up to this length is cheap to parse at any depth. */
const CHEAP_LENGTH = 4096

export interface JsonBodyOptions {
  /** All bodies that are on their way. */
  readonly incoming: IncomingBytes
}

/** JSON is the only type of body. Values that JSON allows and no manifest can hold are refused here. */
export const jsonBody = fastifyPlugin<JsonBodyOptions>(
  (app, { incoming }, done) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/json', (request, payload, parsed) => {
      readBody({ request, payload, incoming }, (result) => {
        if (result instanceof Error) parsed(result)
        else parseInto(result, parsed)
      })
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

function parseInto(incoming: IncomingBody, parsed: (error: Error | null, body?: unknown) => void): void {
  let body: unknown
  try {
    body = parseBody(decode(incoming.bytes))
  } catch (error) {
    parsed(error as Error)
    return
  } finally {
    incoming.end()
  }
  parsed(null, body)
}

/** @throws HttpError at bytes that are no text: replaced, two names could become one */
function decode(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new HttpError('malformed-json', 'The body is not UTF-8.')
  return bytes.toString()
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
  refuseUnfit(value, [])
  return value
}

/**
 * The text up to where it is nested too deep, with every bracket closed: `refuseUnfit` then reports the place. Parsing a deep text
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
 * @param path where the value is; used as a stack, since a copy for each value would cost more than parsing
 * @throws DomainError `invalid` at a value nested deeper than 32 levels (recursion over it could overflow the stack), at a number
 *   that parsing rounded, and at the key `__proto__`
 */
function refuseUnfit(value: unknown, path: (string | number)[]): void {
  if (typeof value === 'number' && !isExact(value)) {
    throw invalid({ pointer: jsonPointer(...path), detail: 'is beyond what a number can hold exactly (2^53 - 1)' })
  }
  if (typeof value !== 'object' || value === null) return
  if (path.length >= MAX_DEPTH) {
    throw invalid({ pointer: jsonPointer(...path), detail: `is nested deeper than ${MAX_DEPTH} levels` })
  }
  if (Array.isArray(value)) refuseUnfitItem(value, path)
  else refuseUnfitMember(value as Record<string, unknown>, path)
}

function refuseUnfitItem(array: readonly unknown[], path: (string | number)[]): void {
  for (const [index, item] of array.entries()) {
    path.push(index)
    refuseUnfit(item, path)
    path.pop()
  }
}

function refuseUnfitMember(object: Readonly<Record<string, unknown>>, path: (string | number)[]): void {
  for (const key of Object.keys(object)) {
    path.push(key)
    if (key === '__proto__') throw invalid({ pointer: jsonPointer(...path), detail: 'is not a known field' })
    refuseUnfit(object[key], path)
    path.pop()
  }
}

function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { turnForResponse } from '../../runtime/turns.ts'
import type { Problem } from '../problems/problem.ts'
import { jsonReply } from './json.ts'

/** Bytes up to which a response is sent in one piece. A longer one begins with as many, which are in memory until they are sent. */
export const BEGINNING = 256 * 1024

/** Items of a list in a piece. */
const ITEMS = 64

type Piece = string | Uint8Array

/**
 * JSON of any size, to be returned by a handler. A large one is made and sent piece by piece, as fast as its client reads, so that
 * it is never in memory as a whole, nor as a string, whose length is limited; and no other caller waits while it is made.
 */
export function jsonPieces(reply: FastifyReply, pieces: Iterable<Piece>): Buffer | Readable {
  return jsonReply(reply, inPieces(pieces))
}

/** The same for a text of another type. */
export function textPieces(reply: FastifyReply, type: string, pieces: Iterable<Piece>): Buffer | Readable {
  reply.header('content-type', type)
  return inPieces(pieces)
}

/** A problem whose type is set. Only some list many experiments. */
export function problemReply(problem: Problem): string | Buffer | Readable {
  const { results, changed } = problem
  return results === undefined && changed === undefined ? JSON.stringify(problem) : inPieces(objectPieces(problem))
}

function inPieces(pieces: Iterable<Piece>): Buffer | Readable {
  const iterator = pieces[Symbol.iterator]()
  const { first, isAll } = takeFirst(iterator)
  return isAll ? Buffer.concat(first) : Readable.from(paced(first, iterator), { objectMode: false })
}

/** JSON of an object of which any list may be long; a value in bytes is JSON already. */
export function* objectPieces(object: object): Generator<Piece, void> {
  let before = '{'
  for (const [key, value] of Object.entries(object) as [string, unknown][]) {
    if (value === undefined) continue
    yield `${before}${JSON.stringify(key)}:`
    if (Array.isArray(value)) yield* listPieces(value)
    else if (value instanceof Uint8Array) yield value
    else yield JSON.stringify(value)
    before = ','
  }
  yield '}'
}

function* listPieces(items: readonly unknown[]): Generator<string, void> {
  yield '['
  for (let at = 0; at < items.length; at += ITEMS) {
    const json = JSON.stringify(items.slice(at, at + ITEMS)).slice(1, -1)
    yield at === 0 ? json : `,${json}`
  }
  yield ']'
}

function takeFirst(pieces: Iterator<Piece>): { first: Uint8Array[]; isAll: boolean } {
  const first: Uint8Array[] = []
  for (let bytes = 0; bytes <= BEGINNING;) {
    const next = pieces.next()
    if (next.done === true) return { first, isAll: true }
    const piece = bytesOf(next.value)
    bytes += piece.length
    first.push(piece)
  }
  return { first, isAll: false }
}

async function* paced(first: Uint8Array[], rest: Iterator<Piece>): AsyncGenerator<Uint8Array, void> {
  // Let go one by one: a slow client keeps what it has not read.
  for (let piece = first.shift(); piece !== undefined; piece = first.shift()) yield piece
  for (let next = rest.next(); next.done !== true; next = rest.next()) {
    yield bytesOf(next.value)
    await turnForResponse()
  }
}

function bytesOf(piece: Piece): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece) : piece
}

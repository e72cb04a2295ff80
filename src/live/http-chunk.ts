const LINE_END = Buffer.from('\r\n')

/**
 * Joins pieces into one chunk of a chunked response. Made here, once for all readers of an event, since a chunk made at each write
 * costs more than the write.
 */
export function httpChunk(pieces: readonly Uint8Array[]): Buffer {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  return Buffer.concat([Buffer.from(`${length.toString(16)}\r\n`), ...pieces, LINE_END])
}

/** What is in a whole number of chunks, for readers by HTTP/1.0, which has none. */
export function* withoutChunks(bytes: Buffer): Generator<Buffer, void> {
  let next = 0
  while (next < bytes.length) {
    const begin = bytes.indexOf(LINE_END, next) + LINE_END.length
    const end = begin + Number.parseInt(bytes.toString('latin1', next, begin), 16)
    yield bytes.subarray(begin, end)
    next = end + LINE_END.length
  }
}

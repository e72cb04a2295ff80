import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FastifyPluginAsync } from 'fastify'
import { readFileTree } from '../../../runtime/file-tree.ts'
import { htmlHeaders } from '../../hooks/html-headers.ts'
import { isKnown } from '../../replies/entity-tag.ts'

const DIRECTORY = fileURLToPath(new URL('../../../dashboard/', import.meta.url))
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * The dashboard at `/`, without a token: the page calls /v1 like any other client. Its files are read once, so that page and
 * assets stay of one build when the next one replaces them on disk; @fastify/static opens a file for each request.
 */
export const dashboardRoutes: FastifyPluginAsync = async (app) => {
  await app.register(htmlHeaders, { allowInlineStyles: false })
  for (const [path, content] of readFileTree(DIRECTORY)) {
    const headers = headersOf(path)
    const tag = `"${createHash('sha256').update(content).digest('base64url')}"`
    for (const url of path === 'index.html' ? ['/', '/index.html'] : [`/${path}`]) {
      app.get(url, { schema: { hide: true } }, (request, reply) => {
        reply.headers(headers)
        return isKnown(request, reply, tag) ? reply.send() : reply.send(content)
      })
    }
  }
}

function headersOf(path: string): Readonly<Record<string, string>> {
  const type = TYPES[extname(path)]
  if (type === undefined) throw new Error(`the dashboard has a file of an unknown type: ${path}`)
  // The name of an asset has a hash of its content.
  const isAsset = path.startsWith('assets/')
  return { 'content-type': type, 'cache-control': isAsset ? 'public, max-age=31536000, immutable' : 'no-cache' }
}

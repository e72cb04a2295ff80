import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the build reads beside src. */
const SETTINGS = ['tsconfig.json', '.config/vite.config.js']
/** Documentation and pictures lie in src too, and change nothing in dist. */
const IS_SOURCE = /\.(tsx?|json|html|css|svg)$/
/** In dist: the hash of the source that it was built from. */
const RECORD = 'built-from'

/** A hash of all that dist is built from. Contents decide: a checkout gives files new times and a copy keeps old ones. */
export function sourceHash(root: string): string {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => IS_SOURCE.test(path))
    .map((path) => `src/${path}`)
  const hash = createHash('sha256')
  for (const path of [...SETTINGS, ...sources].sort()) {
    const content = readFileSync(join(root, path))
    hash.update(`${path} ${content.length}\n`).update(content)
  }
  return hash.digest('hex')
}

/** Where a build records what it was built from. */
export function recordIn(dist: string): string {
  return join(dist, RECORD)
}

/**
 * Makes sure that dist was built from src as it is now. Where there is no src, as in an image or a copy of the compiled
 * product, there is nothing to compare.
 *
 * @throws Error that says what to do
 */
export function requireCurrentDist(root: string): void {
  if (!existsSync(join(root, 'src'))) return
  const record = recordIn(join(root, 'dist'))
  if (!existsSync(record)) throw new Error('dist is missing or was not built by npm run build: run npm run build')
  if (readFileSync(record, 'utf8').trim() !== sourceHash(root))
    throw new Error('dist is older than src: run npm run build')
}

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { removeLeftovers, swapIn } from '../../.config/build/swap.js'
import { campaignDraft } from '../support/campaigns/drafts.js'
import { send } from '../support/http/client.js'
import { startService } from '../support/service/service.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A copy of the compiled product, whose dist can be replaced. */
function productCopy(): string {
  const root = temporaryDirectory()
  for (const name of ['dist', 'package.json']) cpSync(join(ROOT, name), join(root, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  return root
}

/** A build of other content, so that a file that the service read from it would differ. */
function nextBuild(root: string): string {
  const next = join(root, 'dist.next-1')
  mkdirSync(next)
  writeFileSync(join(next, 'main.js'), '// the next build')
  return next
}

test('a service keeps serving its pages and writing when a build replaces dist', async () => {
  const root = productCopy()
  const { url, end } = await startService({ main: join(root, 'dist/main.js') })
  const asset = readdirSync(join(root, 'dist/dashboard/assets')).map((name) => `/assets/${name}`)
  const pages = ['/', '/favicon.svg', ...asset]
  const before = await Promise.all(pages.map((path) => send('GET', `${url}${path}`)))

  swapIn(root, nextBuild(root))
  expect(readdirSync(join(root, 'dist'))).toEqual(['main.js'])

  const after = await Promise.all(pages.map((path) => send('GET', `${url}${path}`)))
  expect(after.map(({ status }) => status)).toEqual(pages.map(() => 200))
  expect(after.map(({ text }) => text)).toEqual(before.map(({ text }) => text))
  const documents = ['/docs', '/docs/static/swagger-ui.css', '/openapi.json', '/metrics', '/problems/not-found']
  for (const path of documents) expect((await fetch(`${url}${path}`)).status, path).toBe(200)
  expect((await send('POST', `${url}/v1/campaigns`, campaignDraft(10))).status).toBe(201)
  const report = await send('PATCH', `${url}/v1/campaigns/sweep/experiments/0001`, { status: 'running' })
  expect(report.status).toBe(200)
  expect(await end('SIGTERM')).toBe(0)
})

test('a swap leaves the new build and nothing of the old one', () => {
  const root = temporaryDirectory()
  mkdirSync(join(root, 'dist'))
  writeFileSync(join(root, 'dist/old.js'), '')
  swapIn(root, nextBuild(root))
  expect(readdirSync(root)).toEqual(['dist'])
  expect(readFileSync(join(root, 'dist/main.js'), 'utf8')).toBe('// the next build')
})

test('a first build is swapped in where there is no dist', () => {
  const root = temporaryDirectory()
  swapIn(root, nextBuild(root))
  expect(existsSync(join(root, 'dist/main.js'))).toBe(true)
})

test('the leftovers of a killed build are removed, and those of a running one are not', () => {
  const root = temporaryDirectory()
  const running = `dist.next-${process.pid}`
  // Above the largest process id of Linux.
  for (const name of ['dist', running, 'dist.next-4194305', 'dist.old-4194305', 'dist.dev']) mkdirSync(join(root, name))
  removeLeftovers(root)
  expect(readdirSync(root).sort()).toEqual(['dist', 'dist.dev', running].sort())
})

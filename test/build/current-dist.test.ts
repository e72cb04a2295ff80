import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { recordIn, requireCurrentDist, sourceHash } from '../../.config/build/source-hash.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

/** A project that has just been built. */
function builtProject(): string {
  const root = temporaryDirectory()
  write(root, 'tsconfig.json', '{}')
  write(root, '.config/vite.config.js', 'export default {}')
  write(root, 'src/main.ts', 'one')
  write(root, 'src/room/page.css', 'two')
  write(recordIn(join(root, 'dist')), '', `${sourceHash(root)}\n`)
  return root
}

function write(root: string, path: string, content: string): void {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
}

function refusalOf(root: string): string | null {
  try {
    requireCurrentDist(root)
    return null
  } catch (error) {
    return (error as Error).message
  }
}

test('a dist that was built from src as it is passes', () => {
  expect(refusalOf(builtProject())).toBeNull()
})

test.each([
  ['a changed file', 'src/main.ts', 'other'],
  ['a new file', 'src/room/new.ts', ''],
  ['another setting of the compiler', 'tsconfig.json', '{ }'],
])('a dist is refused as old after %s', (_, path, content) => {
  const root = builtProject()
  write(root, path, content)
  expect(refusalOf(root)).toContain('dist is older than src: run npm run build')
})

test('documentation beside the source makes no dist old', () => {
  const root = builtProject()
  write(root, 'src/room/README.md', '# Room')
  expect(refusalOf(root)).toBeNull()
})

test('a dist that is missing is refused', () => {
  const root = temporaryDirectory()
  write(root, 'src/main.ts', 'one')
  expect(refusalOf(root)).toContain('dist is missing or was not built by npm run build: run npm run build')
})

test('the compiled product by itself has nothing to be older than', () => {
  const root = temporaryDirectory()
  write(root, 'dist/main.js', '')
  expect(refusalOf(root)).toBeNull()
})

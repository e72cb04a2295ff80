import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** The policy is in CONTRIBUTING.md, section "Node": the oldest version that works, and the LTS that ships. */

function read(name: string): string {
  return readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
}

function find(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1]
  if (found === undefined) throw new Error(`nothing matches ${String(pattern)}`)
  return found
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10)
}

const own = JSON.parse(read('package.json')) as {
  readonly engines: { readonly node: string }
  readonly devDependencies: Readonly<Record<string, string>>
}
const oldest = find(own.engines.node, /^>=(\d+\.\d+)$/)
const images = [...read('Dockerfile').matchAll(/^FROM node:(\S+?)-slim/gm)].map(([, version]) => version ?? '')
const inCi = JSON.parse(find(read('.github/workflows/ci.yml'), /^\s+node: (\[.*\])$/m).replaceAll("'", '"')) as string[]

test('contributors work with the oldest Node that is supported', () => {
  expect(read('.nvmrc').trim()).toBe(oldest)
})

test('the types are those of the oldest Node that is supported', () => {
  expect(majorOf(own.devDependencies['@types/node'] ?? '')).toBe(majorOf(oldest))
})

test('every stage of the image has the same LTS, which is supported', () => {
  expect(images.length).toBeGreaterThan(1)
  expect(new Set(images).size).toBe(1)
  const lts = majorOf(images[0] ?? '')
  expect(lts % 2).toBe(0)
  expect(lts).toBeGreaterThanOrEqual(majorOf(oldest))
})

test('CI runs the oldest Node that is supported and that of the image', () => {
  expect(inCi).toEqual([oldest, images[0]])
})

test('this run is on a Node that is supported', () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = oldest.split('.').map(Number)
  expect(major * 1000 + minor).toBeGreaterThanOrEqual(oldestMajor * 1000 + oldestMinor)
})

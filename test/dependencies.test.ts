import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Package {
  readonly version?: string
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly resolved?: string
  readonly integrity?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly scripts?: Readonly<Record<string, string>>
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')) as T
}

const own = read<Package>('package.json')
const { packages } = read<{ packages: Readonly<Record<string, Package>> }>('package-lock.json')
const installed = Object.entries(packages).filter(([path]) => path !== '')

test('every dependency is pinned to one version, and that one is locked', () => {
  const wanted = Object.entries({ ...own.dependencies, ...own.devDependencies })
  expect(wanted.length).toBeGreaterThan(20)
  for (const [name, version] of wanted) {
    expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/)
    expect(packages[`node_modules/${name}`]?.version, name).toBe(version)
  }
})

test('every package is locked by the hash of what is installed', () => {
  expect(installed.length).toBeGreaterThan(100)
  expect(
    installed.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true).map(([path]) => path),
  ).toEqual([])
})

test('no package that ships runs a script when it is installed', () => {
  const shipped = installed.filter(([, { dev }]) => dev !== true)
  expect(shipped.map(([path]) => path)).toContain('node_modules/fastify')
  expect(shipped.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([path]) => path)).toEqual([])
  const hooks = Object.keys(own.scripts ?? {}).filter((name) => /^(pre|post)?install$|^prepare$/.test(name))
  expect(hooks).toEqual([])
})

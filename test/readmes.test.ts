import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { repositoryText } from './support/readme.js'
import { runMain } from './support/service/service.js'

const ROOT = new URL('..', import.meta.url)

/** Bytes of the first page: what is not needed to begin is in the README of its folder. */
const LARGEST_FIRST_PAGE = 14 * 1024

async function readmes(): Promise<string[]> {
  const inside = await Promise.all(['src', 'test', '.github'].map((folder) => pagesIn(folder)))
  return ['README.md', ...inside.flat()]
}

async function pagesIn(folder: string): Promise<string[]> {
  const url = new URL(`${folder}/`, ROOT)
  if (!existsSync(url)) return []
  const names = await readdir(url, { recursive: true })
  return names.filter((name) => name.endsWith('.md')).map((name) => `${folder}/${name}`)
}

/** The anchors that a page's headings get. */
function anchorsOf(page: string): string[] {
  const headings = [
    ...repositoryText(page)
      .toLowerCase()
      .matchAll(/^#+ (.+)$/gm),
  ]
  return headings.map(([, heading = '']) => heading.replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}

test('the first page is short and begins with the commands that start and test the service', () => {
  const page = repositoryText('README.md')
  expect(Buffer.byteLength(page)).toBeLessThanOrEqual(LARGEST_FIRST_PAGE)
  expect(page).toContain('npm ci && npm start')
  expect(page).toContain('npm ci && npm test')
})

test('every link of a README has a target', async () => {
  const broken: string[] = []
  for (const page of await readmes()) {
    const links = [...repositoryText(page).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)]
    for (const [, inline, reference] of links) {
      const link = inline ?? reference ?? ''
      if (/^https?:/.test(link)) continue
      const target = new URL(link, new URL(page, ROOT))
      const file = decodeURIComponent(target.pathname.slice(ROOT.pathname.length))
      const hasAnchor = () =>
        target.hash === '' || !file.endsWith('.md') || anchorsOf(file).includes(target.hash.slice(1))
      if (!existsSync(target) || !hasAnchor()) broken.push(`${page}: ${link}`)
    }
  }
  expect(broken).toEqual([])
})

test('the table of calls lists those of the OpenAPI document, each with its role', () => {
  interface Operation {
    readonly security?: readonly { readonly token?: readonly string[] }[]
  }
  const { paths } = JSON.parse(repositoryText('openapi/openapi.json')) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  const documented = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => {
      const role = security?.[0]?.token?.[0] ?? 'none'
      return `${method.toUpperCase()} ${path} ${role}`
    }),
  )
  const listed = [...repositoryText('src/http/README.md').matchAll(/^\| `([A-Z]+ \/[^`]*)` \| (\w+) \| \S/gm)]
  expect(listed.map(([, call, role]) => `${call} ${role}`).sort()).toEqual(documented.sort())
})

test('the table of settings lists those of --help, each with its default', () => {
  const help = runMain(['--help']).stdout.replace(/\s+/g, ' ')
  const settings = [...help.matchAll(/\((CAMPAIGND_\w+)\) \(default: ("[^"]*"|[^)]*)\)/g)]
  const offered = settings.map(([, name = '', value = '']) => `${name} ${value === '""' ? 'none' : value}`)
  const rows = (page: string) =>
    [...repositoryText(page).matchAll(/^\| `(CAMPAIGND_\w+)` \| (?:`([^`]*)`|none)[^|]*\| \S/gm)].map(
      ([, name = '', value = 'none']) => `${name} ${value}`,
    )
  expect(rows('src/README.md').sort()).toEqual(offered.sort())
  expect(offered).toEqual(expect.arrayContaining(rows('README.md')))
  expect(rows('README.md')).toHaveLength(8)
})

test('every npm command of a README is a script of the package', async () => {
  const { scripts } = JSON.parse(repositoryText('package.json')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  const pages = (await readmes()).map((page) => repositoryText(page))
  const named = pages.flatMap((page) => [...page.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name))
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([])
})

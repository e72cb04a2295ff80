import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import axe from 'axe-core'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

const ARGUMENTS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The system's Chromium; null when there is none, and then it is said why tests are skipped. */
export const CHROMIUM = findChromium()

function findChromium(): string | null {
  const { stdout } = spawnSync('sh', ['-c', NAMES.map((name) => `command -v ${name}`).join(' || ')], {
    encoding: 'utf8',
  })
  const path = stdout.trim()
  if (path !== '') return path
  console.warn(`skipped: the dashboard is not looked at, since none of ${NAMES.join(', ')} is installed here`)
  return null
}

export interface OpenOptions {
  readonly dark?: boolean
  readonly width?: number
  readonly height?: number
  /** Complaints of the page that the test brings about. */
  readonly expected?: RegExp
}

/** A page of the dashboard. */
export interface Look {
  readonly page: Page
  /** Goes to a place of the dashboard, such as `#/campaigns/sweep/grid`. */
  go(hash: string): Promise<void>
}

export interface Browsing {
  /**
   * Opens the dashboard of the service at the URL. At the end of the test no request may have left that origin, and the
   * page may not have complained: of errors, refused calls, or of what its policy forbids.
   */
  open(url: string, hash: string, options?: OpenOptions): Promise<Look>
}

/** One browser for the tests of a file, with a profile of its own that goes with it. */
export function useBrowser(): Browsing {
  const profile = mkdtempSync(join(tmpdir(), 'campaignd-browser-'))
  const running: { context?: BrowserContext } = {}
  beforeAll(async () => {
    if (CHROMIUM === null) return
    running.context = await chromium.launchPersistentContext(profile, {
      executablePath: CHROMIUM,
      args: ARGUMENTS,
      viewport: { width: 1280, height: 800 },
    })
  })
  afterAll(async () => {
    await running.context?.close()
    rmSync(profile, { recursive: true, force: true })
  })
  return {
    open: async (url, hash, options = {}) => {
      if (running.context === undefined) throw new Error('the browser does not run')
      const page = await running.context.newPage()
      const { width = 1280, height = 800, dark = false, expected = null } = options
      await page.setViewportSize({ width, height })
      await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' })
      const complaints: string[] = []
      const complain = (text: string) => {
        if (expected?.test(text) !== true) complaints.push(text)
      }
      const left: string[] = []
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== url) left.push(request.url())
      })
      page.on('pageerror', (error) => complain(error.message))
      page.on('console', (message) => {
        if (message.type() === 'error') complain(message.text())
      })
      onTestFinished(async () => {
        await page.close()
        expect(left, 'requests that left the origin').toEqual([])
        expect(complaints, 'complaints of the page').toEqual([])
      })
      const go = async (to: string) => {
        await page.goto(`${url}/${to}`)
      }
      await go(hash)
      return { page, go }
    },
  }
}

/** What is wrong with the page for those who cannot see, point or tell colours apart. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const { violations } = await page.evaluate(async () => {
    const { axe: run } = globalThis as unknown as { axe: typeof axe }
    return run.run()
  })
  return violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html.slice(0, 200)}`))
}

import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { CampaignManifest } from '#campaignd/domain/campaign/manifest.js'

/**
 * The entries below a directory, with the content of each file. What lies in the trash of a data directory is left out: its
 * deletion is acknowledged, and when it is removed is nobody's concern.
 */
export function bytesOf(directory: string): Record<string, string> {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(
    ({ parentPath }) => !basename(parentPath).startsWith('trash-'),
  )
  return Object.fromEntries(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name)
      const name = relative(directory, path)
      if (entry.isSymbolicLink()) return [name, `link to ${readlinkSync(path)}`]
      return [name, entry.isFile() ? readFileSync(path, 'latin1') : 'directory']
    }),
  )
}

export function manifestPath(dataDir: string, campaignId: string): string {
  return join(dataDir, 'campaigns', `${campaignId}.json`)
}

/** Puts a manifest into a data directory by hand. */
export function layManifest(dataDir: string, campaignId: string, content: string | Buffer): void {
  mkdirSync(join(dataDir, 'campaigns'), { recursive: true })
  writeFileSync(manifestPath(dataDir, campaignId), content)
}

export function readManifest(dataDir: string, campaignId: string): string {
  return readFileSync(manifestPath(dataDir, campaignId), 'utf8')
}

/** Its text; null when there is no such file. */
export function findManifest(dataDir: string, campaignId: string): string | null {
  try {
    return readManifest(dataDir, campaignId)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export function storedManifest(dataDir: string, campaignId: string): CampaignManifest {
  return JSON.parse(readManifest(dataDir, campaignId)) as CampaignManifest
}

/** The names of the files beside the manifests. */
export function leftovers(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'campaigns')).filter((name) => !name.endsWith('.json'))
}

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { openFileRepository, type FileRepositoryOptions } from '#campaignd/repository/file/open-file-repository.js'
import type { ManifestRepository } from '#campaignd/repository/repository.js'
import { temporaryDirectory } from './temporary-directory.js'

export interface FileStore {
  readonly dataDir: string
  readonly repository: ManifestRepository
  /** Closes the repository and opens the same directory again. */
  reopen(): Promise<ManifestRepository>
  close(): Promise<void>
  /** What was told beside answers, a sentence each. */
  readonly notices: string[]
  readonly corrupt: Map<string, string>
  readonly fatal: Error[]
}

/** Opens a data directory in this process; it is closed with the test. */
export async function openFileStore(dataDir: string = temporaryDirectory()): Promise<FileStore> {
  const notices: string[] = []
  const corrupt = new Map<string, string>()
  const fatal: Error[] = []
  const options: FileRepositoryOptions = {
    dataDir,
    durability: 'fsync',
    onWait: (holder) => notices.push(`waits for ${holder}`),
    onNotice: (sentence) => notices.push(sentence),
    onCorrupt: (id, reason) => corrupt.set(id, reason),
    onFatal: (reason) => fatal.push(reason),
  }
  let repository = await openFileRepository(options)
  onTestFinished(() => repository.close())
  return {
    dataDir,
    repository,
    reopen: async () => {
      await repository.close()
      expect(readdirSync(dataDir)).toEqual(['campaigns'])
      expect(leftovers(dataDir)).toEqual([])
      repository = await openFileRepository(options)
      return repository
    },
    close: () => repository.close(),
    notices,
    corrupt,
    fatal,
  }
}

export function manifestPath(dataDir: string, id: string): string {
  return join(dataDir, 'campaigns', `${id}.json`)
}

export function readManifest(dataDir: string, id: string): string {
  return readFileSync(manifestPath(dataDir, id), 'utf8')
}

/** What lies beside the manifests. */
export function leftovers(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'campaigns')).filter((name) => !name.endsWith('.json'))
}

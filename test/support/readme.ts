import { readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)

/** The text of a file, by its path in the repository. */
export function repositoryText(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/**
 * The blocks of code in a README, from top to bottom.
 * @param isWanted selects sections by their heading
 */
export function readmeBlocks(
  path: string,
  language: string,
  isWanted: (heading: string) => boolean = () => true,
): string[] {
  const sections = repositoryText(path).split(/^## /m)
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')
  return sections
    .filter((section) => isWanted(section.slice(0, section.indexOf('\n'))))
    .flatMap((section) => [...section.matchAll(block)].map(([, code = '']) => code))
}

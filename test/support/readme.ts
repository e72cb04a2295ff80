import { readFileSync } from 'node:fs'

const ROOT = new URL('../../', import.meta.url)

/** The text of a README, by its path in the repository. */
export function readmeText(path: string): string {
  return readFileSync(new URL(path, ROOT), 'utf8')
}

/**
 * The blocks of code in a README, from top to bottom.
 * @param path in the repository
 * @param language as it stands behind the fence
 * @param isWanted is told the heading of each section
 */
export function readmeBlocks(
  path: string,
  language: string,
  isWanted: (heading: string) => boolean = () => true,
): string[] {
  const sections = readmeText(path).split(/^## /m)
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')
  return sections
    .filter((section) => isWanted(section.slice(0, section.indexOf('\n'))))
    .flatMap((section) => [...section.matchAll(block)].map(([, code = '']) => code))
}

import { readFileSync } from 'node:fs'

/**
 * The blocks of code in the README, from top to bottom.
 * @param language as it stands behind the fence
 * @param isWanted is told the heading of each section
 */
export function readmeBlocks(language: string, isWanted: (heading: string) => boolean): string[] {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
  const sections = readme.split(/^## /m).filter((section) => isWanted(section.slice(0, section.indexOf('\n'))))
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms')
  return sections.flatMap((section) => [...section.matchAll(block)].map(([, code = '']) => code))
}

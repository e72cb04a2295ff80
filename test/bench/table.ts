import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One line of a table. */
export interface Line {
  readonly name: string
  readonly title: string
}

/** What the line of a measurement says after its title. */
export interface Result {
  readonly cells: readonly string[]
  /** Whether it reaches its goal, or is not worse. */
  readonly isGood: boolean
}

/** One measurement, which gives one line or more. */
export interface Measurement {
  readonly lines: readonly Line[]
  /** @returns a result for each line */
  readonly run: () => Promise<readonly Result[]>
}

export interface Table {
  readonly columns: readonly string[]
  readonly measurements: readonly Measurement[]
}

/**
 * Measures and prints lines of a table: those that are named, or all.
 * @returns whether all of them were measured and are good
 */
export async function printTable({ columns, measurements }: Table, names: readonly string[]): Promise<boolean> {
  const print = (cells: readonly string[]) => {
    console.log(`| ${columns.map((_, index) => cells[index] ?? '').join(' | ')} |`)
  }
  print(columns)
  print(columns.map(() => '---'))
  const isWanted = ({ name }: Line) => names.length === 0 || names.includes(name)
  let isGood = true
  for (const { lines, run } of measurements) {
    if (!lines.some(isWanted)) continue
    const results = await run().catch((error: unknown): Result[] => {
      const reason = (error as Error).message.replaceAll('\n', ' ')
      return lines.map(() => ({ cells: [`not measured: ${reason}`], isGood: false }))
    })
    for (const [index, line] of lines.entries()) {
      if (!isWanted(line)) continue
      print([line.name, line.title, ...(results[index]?.cells ?? [])])
      isGood &&= results[index]?.isGood === true
    }
  }
  return isGood
}

/** Runs with a directory that is removed afterwards. */
export async function inDirectory<T>(act: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'campaignd-bench-'))
  try {
    return await act(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

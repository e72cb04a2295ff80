import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Stage } from '../stage.js'

const pathOf = (file: string) => fileURLToPath(new URL(file, import.meta.url))

export type Orders = Readonly<Record<string, (argument: never) => Promise<unknown>>>

interface Order {
  readonly name: string
  readonly argument: unknown
}

/** Attackers in a process of their own, so that they do not delay the healthy clients, and of low priority. */
export class Attackers<O extends Orders> {
  private readonly ended: Promise<never>

  private constructor(private readonly child: ChildProcess) {
    this.ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the attackers ended with ${code}`)
    })
    this.ended.catch(() => undefined)
  }

  /** @param file of this folder, which calls `obey` and is told the URL */
  static async begin<O extends Orders>(stage: Stage, file: string, url: string): Promise<Attackers<O>> {
    const child = fork(pathOf(file), [url], {
      execArgv: ['--import', 'tsx'],
      env: { PATH: process.env['PATH'], TSX_TSCONFIG_PATH: pathOf('../../tsconfig.run.json') },
    })
    const attackers = new Attackers<O>(stage.keep(child))
    await Promise.race([once(child, 'message'), attackers.ended])
    return attackers
  }

  async order<N extends string & keyof O>(name: N, argument: Parameters<O[N]>[0]): Promise<Awaited<ReturnType<O[N]>>> {
    const answer = once(this.child, 'message')
    this.child.send({ name, argument } satisfies Order)
    const [{ value }] = (await Promise.race([answer, this.ended])) as [{ readonly value: Awaited<ReturnType<O[N]>> }]
    return value
  }

  end(): void {
    this.child.kill('SIGKILL')
  }
}

/** In the process of the attackers: does what is ordered until it is killed. What cannot be done ends it. */
export function obey(orders: Orders): void {
  setPriority(constants.priority.PRIORITY_LOW)
  process.on('message', ({ name, argument }: Order) => {
    void orders[name]?.(argument as never).then((value) => process.send?.({ value }))
  })
  process.on('disconnect', () => process.exit())
  process.send?.('ready')
}

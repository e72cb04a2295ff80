import type { FileJob } from '#campaignd/repository/file/commit/file-job.js'
import type { ForgottenFlushes } from './recording-fs.js'

export interface Commit {
  readonly kind: FileJob['kind']
  readonly id: string
}

/** Commits to be recorded, on a disk that holds what they begin with, and one campaign that none of them touches. */
export interface Scenario {
  readonly name: string
  readonly commits: readonly Commit[]
  /** The second commit runs in the middle of the first, after each of its operations in turn. */
  readonly nested?: true
  /** All of them are carried out at once. */
  readonly together?: true
  readonly shortWrites?: true
  readonly forgotten?: ForgottenFlushes
}

export function scenarios(): Scenario[] {
  const pairs: readonly (readonly [Commit, Commit])[] = [
    [commit('create', 'a'), commit('replace', 'a')],
    [commit('replace', 'a'), commit('replace', 'a')],
    [commit('replace', 'a'), commit('delete', 'a')],
    [commit('create', 'a'), commit('delete', 'a')],
    [commit('delete', 'a'), commit('create', 'a')],
    [commit('move', 'a'), commit('create', 'a')],
    [commit('flush', 'a'), commit('replace', 'a')],
    [commit('flush', 'a'), commit('delete', 'a')],
  ]
  const twoCampaigns: readonly (readonly [Commit, Commit])[] = [
    [commit('replace', 'a'), commit('replace', 'b')],
    [commit('create', 'a'), commit('create', 'b')],
    [commit('create', 'a'), commit('replace', 'b')],
    [commit('replace', 'a'), commit('create', 'b')],
    [commit('replace', 'a'), commit('delete', 'b')],
    [commit('delete', 'a'), commit('create', 'b')],
    [commit('move', 'a'), commit('replace', 'b')],
    [commit('move', 'a'), commit('delete', 'b')],
  ]
  const inTurn = ['create', 'replace', 'replace', 'delete'] as const
  return [
    ...(['create', 'replace', 'delete', 'move', 'flush'] as const).map((kind) => scenario([commit(kind, 'a')])),
    ...pairs.map((commits) => scenario(commits)),
    scenario(inTurn.flatMap((kind) => [commit(kind, 'a'), commit(kind, 'b')])),
    scenario([commit('create', 'a')], { shortWrites: true }),
    scenario([commit('replace', 'a'), commit('replace', 'a')], { shortWrites: true }),
    ...twoCampaigns.map((commits) => scenario(commits, { nested: true })),
    ...twoCampaigns.map((commits) => scenario(commits, { together: true })),
  ]
}

/** What must be found out: each flush of each kind of commit, left out. */
export function brokenScenarios(): Scenario[] {
  const broken = (kind: Commit['kind'], forgotten: ForgottenFlushes) => scenario([commit(kind, 'a')], { forgotten })
  return [
    ...(['create', 'replace', 'flush'] as const).map((kind) => broken(kind, 'files')),
    ...(['create', 'replace', 'delete', 'move'] as const).map((kind) => broken(kind, 'directories')),
  ]
}

function scenario(commits: readonly Commit[], given: Omit<Scenario, 'name' | 'commits'> = {}): Scenario {
  const name = commits
    .map(({ kind, id }) => `${kind} ${id}`)
    .join(given.nested ? ' around ' : given.together ? ' with ' : ', ')
  const suffixes = [
    ...(given.shortWrites ? ['in two writes'] : []),
    ...(given.forgotten === undefined ? [] : [`without flushing ${given.forgotten}`]),
  ]
  return { name: [name, ...suffixes].join(' '), commits, ...given }
}

function commit(kind: Commit['kind'], id: string): Commit {
  return { kind, id }
}

/** The ETags that were seen. They are opaque: all that is known is that one names one version, and a version has one. */
export class TagBook {
  private readonly tags = new Map<string, Map<string, string>>()

  /** @throws Error when the tag is no strong one, is another than the version had, or is that of another version */
  learn(resource: string, version: string, tag: string | undefined): void {
    if (tag === undefined || !/^"[^"]+"$/.test(tag)) throw new Error(`${resource} has the ETag ${String(tag)}`)
    const known = this.of(resource, version)
    if (known !== undefined && known !== tag)
      throw new Error(`${resource} ${version} had the ETag ${known}, now ${tag}`)
    for (const [other, its] of this.tags.get(resource) ?? []) {
      if (its === tag && other !== version)
        throw new Error(`${resource} has the ETag ${tag} as ${other} and as ${version}`)
    }
    const versions = this.tags.get(resource) ?? new Map<string, string>()
    this.tags.set(resource, versions.set(version, tag))
  }

  of(resource: string, version: string): string | undefined {
    return this.tags.get(resource)?.get(version)
  }

  /** Tags of the resource that do not name this version, newest first. */
  others(resource: string, version: string): string[] {
    const versions = [...(this.tags.get(resource) ?? [])].filter(([other]) => other !== version)
    return versions.map(([, tag]) => tag).reverse()
  }
}

export function resourceOf(campaign: string, experiment?: string): string {
  return experiment === undefined ? campaign : `${campaign}/${experiment}`
}

/** How the compiler and the bundler are called, for a build and while they watch. */

export function compilerArguments(output: string): string[] {
  return ['-p', 'src', '--outDir', output]
}

export function bundlerArguments(output: string): string[] {
  // The path counts from the root of the dashboard.
  return ['build', '--config', '.config/vite.config.js', '--outDir', `../../${output}/dashboard`]
}

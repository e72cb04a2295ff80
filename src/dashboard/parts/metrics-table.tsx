import type { Metrics } from '../../domain/experiment/experiment.ts'
import { figure } from '../model/format.ts'

/** What was measured, in the order in which it was reported. */
export function MetricsTable({ metrics }: { readonly metrics: Metrics }) {
  return (
    <table class="metrics" aria-label="Metrics">
      <tbody>
        {Object.entries(metrics).map(([name, value]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td class="figure number" title={String(value)}>
              {figure(value)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

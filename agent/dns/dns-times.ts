/** How long questions took, and what was answered. */
import { counter, type Metric, timing } from '../../lib/metrics/metric.ts';
import { Sample } from '../../lib/metrics/sample.ts';
import { RCODE } from './wire.ts';

/** The lower half of the fourth byte of an answer. */
const RCODE_AT = 3;
const RCODE_BITS = 0x0f;

export class DnsTimes {
  readonly #took = new Sample();
  readonly #byCode = new Uint32Array(RCODE_BITS + 1);
  #unanswered = 0;

  observe(packet: Buffer | undefined, ms: number): void {
    this.#took.observe(ms);
    const byte = packet?.[RCODE_AT];
    if (byte === undefined) this.#unanswered++;
    else this.#byCode[byte & RCODE_BITS] = (this.#byCode[byte & RCODE_BITS] ?? 0) + 1;
  }

  metrics(node: string): readonly Metric[] {
    const codes = Object.entries(RCODE).filter(([, code]) => code <= RCODE_BITS);
    return [
      timing('dns.domain_query', 'to answer a question, recursion included', this.#took, {
        labels: { node },
      }),
      timing('proconsul.dns.answer', 'to answer a question, recursion included', this.#took, {
        buckets: true,
      }),
      counter('proconsul.dns.unanswered', 'packets that got no answer', () => this.#unanswered),
      ...codes.map(([rcode, code]) =>
        counter('proconsul.dns.answers', 'answers by their code', () => this.#byCode[code] ?? 0, {
          rcode,
        }),
      ),
    ];
  }
}

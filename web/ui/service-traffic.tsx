/** How a service answers: throughput, what failed, and latency, as its sidecars tell. */
import '../style/traffic.css';
import { useTold } from '../core/live.ts';
import type { Figures, Performance, PerformanceWindow } from '../core/performance.ts';
import { commandText } from '../core/shell.ts';
import { performanceWords } from '../words/performance-words.ts';
import { count, locale, percent } from '../words/words.ts';
import { Copyable } from './commands.tsx';
import { Empty } from './empty.tsx';
import { type Line, LineChart } from './line-chart.tsx';
import { Seen } from './shown.tsx';
import { type Column, Table } from './table.tsx';

export function ServiceTraffic({ name }: { readonly name: string }) {
  const live = useTold<Performance>(
    `/v1/internal/performance/service/${encodeURIComponent(name)}?steps`,
  );
  return (
    <Seen of={live} sees={{ Resource: 'service', Access: 'read', Segment: name }} isNone={isSilent}>
      {(told) => <Traffic name={name} told={told} />}
    </Seen>
  );
}

function isSilent({ Windows }: Performance): boolean {
  return Windows.every(({ RequestsPerSecond }) => RequestsPerSecond === null);
}

function Traffic({ name, told }: { readonly name: string; readonly told: Performance }) {
  const say = performanceWords.value;
  if (isSilent(told)) {
    return (
      <Empty title={say.none(name)} hint={say.noneHint}>
        <Copyable text={commandText({ words: ['connect', 'proxy', '-sidecar-for', name] })} />
      </Empty>
    );
  }
  return (
    <div class="traffic">
      <Chart told={told} title={say.rate} lines={[[say.rate, rateOf]]} show={plain} />
      <Chart
        told={told}
        title={say.p99}
        lines={[
          [say.p99, (each) => each.LatencyMs?.P99],
          [say.p50, (each) => each.LatencyMs?.P50],
        ]}
        show={inMs}
      />
      <Table
        label={say.traffic}
        kind="windows"
        rows={told.Windows}
        columns={columns()}
        keyOf={({ Window }) => Window}
        sortedBy=""
      />
    </div>
  );
}

interface ChartProps {
  readonly told: Performance;
  readonly title: string;
  readonly lines: readonly (readonly [
    name: string,
    of: (step: Figures) => number | null | undefined,
  ])[];
  readonly show: (value: number | null | undefined) => string;
}

function Chart({ told, title, lines, show }: ChartProps) {
  const drawn: readonly Line[] = lines.map(([name, of]) => ({
    name,
    points: told.Steps.map((step) => [Date.parse(step.Time), of(step) ?? undefined] as const),
  }));
  return <LineChart title={performanceWords.value.shown(title)} lines={drawn} show={show} />;
}

function rateOf({ RequestsPerSecond }: Figures): number | null {
  return RequestsPerSecond;
}

function columns(): readonly Column<PerformanceWindow>[] {
  const say = performanceWords.value;
  return [
    { name: 'window', title: say.window, cell: ({ Window }) => say.windows[Window] },
    { name: 'rate', title: say.rate, cell: (each) => plain(each.RequestsPerSecond) },
    {
      name: 'errors',
      title: say.errors,
      cell: ({ ErrorShare }) => (ErrorShare === null ? say.unknown : percent(ErrorShare)),
    },
    { name: 'p50', title: say.p50, cell: ({ LatencyMs }) => inMs(LatencyMs?.P50) },
    { name: 'p90', title: say.p90, cell: ({ LatencyMs }) => inMs(LatencyMs?.P90) },
    { name: 'p99', title: say.p99, cell: ({ LatencyMs }) => inMs(LatencyMs?.P99) },
    { name: 'told', title: say.told, cell: ({ Instances }) => say.instances(Instances) },
  ];
}

function inMs(ms: number | null | undefined): string {
  const { unknown, ms: inWords } = performanceWords.value;
  return ms === null || ms === undefined ? unknown : inWords(plain(ms));
}

function plain(n: number | null | undefined): string {
  if (n === null || n === undefined) return performanceWords.value.unknown;
  return n >= 100
    ? count(Math.round(n))
    : n.toLocaleString(locale.value, { maximumSignificantDigits: 3 });
}

/** How a service answers: throughput, what failed, and latency, as its sidecars tell. */
import '../style/traffic.css';
import { useMemo } from 'preact/hooks';
import type { Performance, PerformanceFigures, PerformanceWindow } from '../../lib/answers.ts';
import { useTold } from '../core/live.ts';
import { commandText } from '../core/shell.ts';
import { performanceWords } from '../words/performance-words.ts';
import { count, locale, percent } from '../words/words.ts';
import { Copyable } from './commands.tsx';
import { Empty } from './empty.tsx';
import { LineChart } from './line-chart.tsx';
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
      <Chart told={told} title={say.rate} lines={[[say.rate, rateOf]]} unit={(n) => n} />
      <Chart
        told={told}
        title={say.p99}
        lines={[
          [say.p99, (each) => each.LatencyMs?.P99],
          [say.p50, (each) => each.LatencyMs?.P50],
        ]}
        unit={say.ms}
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
    of: (step: PerformanceFigures) => number | null | undefined,
  ])[];
  readonly unit: (value: string) => string;
}

function Chart({ told, title, lines, unit }: ChartProps) {
  const { shown, unknown } = performanceWords.value;
  const drawn = useMemo(() => {
    const { Steps: steps = [] } = told;
    const times = steps.map(({ Time }) => Date.parse(Time));
    const of = lines.map(([name, value]) => ({
      name,
      values: steps.map((step) => value(step) ?? null),
    }));
    return { times, lines: of };
  }, [told, title]);
  const say = (digits: (n: number) => string) => (value: number | null) =>
    value === null ? unknown : unit(digits(value));
  return <LineChart title={shown(title)} {...drawn} show={say(plain)} tell={say(exactly)} />;
}

function rateOf({ RequestsPerSecond }: PerformanceFigures): number | null {
  return RequestsPerSecond;
}

function columns(): readonly Column<PerformanceWindow>[] {
  const say = performanceWords.value;
  const column = (
    name: string,
    title: string,
    value: (of: PerformanceWindow) => string,
  ): Column<PerformanceWindow> => ({
    name,
    title,
    cell: (each) => (
      <>
        <span class="title">{title}</span> <span>{value(each)}</span>
      </>
    ),
  });
  return [
    { name: 'window', title: say.window, cell: ({ Window }) => say.windows[Window] },
    column('rate', say.rate, (each) => plain(each.RequestsPerSecond)),
    column('errors', say.errors, ({ ErrorShare }) =>
      ErrorShare === null ? say.unknown : percent(ErrorShare),
    ),
    column('p50', say.p50, ({ LatencyMs }) => inMs(LatencyMs?.P50)),
    column('p90', say.p90, ({ LatencyMs }) => inMs(LatencyMs?.P90)),
    column('p99', say.p99, ({ LatencyMs }) => inMs(LatencyMs?.P99)),
    column('told', say.told, ({ Instances }) => say.instances(Instances)),
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

/** As it was told: a thousandth of a millisecond is the least that anybody measures. */
function exactly(n: number): string {
  return n.toLocaleString(locale.value, { maximumFractionDigits: 3 });
}

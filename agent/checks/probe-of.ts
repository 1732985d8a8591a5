/** From what was registered to the probe that looks at it. */
import { NS_PER_MS } from '../../lib/duration.ts';
import { type CheckSpec, checkType } from '../definitions/check-spec.ts';
import { httpProbe } from './kinds/http.ts';
import { grpcProbe, h2pingProbe } from './kinds/http2.ts';
import { osServiceProbe, scriptProbe } from './kinds/script.ts';
import { tcpProbe } from './kinds/tcp.ts';
import { udpProbe } from './kinds/udp.ts';
import type { Probe } from './probe.ts';

/** Runs a command in a container; who speaks to Docker provides it. */
export type ContainerProbe = (
  command: { readonly containerId: string; readonly args: readonly string[] },
  maxOutputBytes: number,
) => Probe;

export interface ProbeContext {
  readonly maxOutputBytes: number;
  /** Undefined where no Docker is. */
  readonly containerProbe: ContainerProbe | undefined;
  /** Registered over HTTP and not in a file. */
  readonly untrusted: boolean;
}

/** As Consul's: a shorter interval is raised to this, lest checks keep the machine busy. */
const MIN_INTERVAL_MS = 1000;
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_SCRIPT_TIMEOUT_MS = 30_000;

export function intervalMs(spec: CheckSpec): number {
  return Math.max(spec.Interval / NS_PER_MS, MIN_INTERVAL_MS);
}

export function timeoutMs(spec: CheckSpec): number {
  if (spec.Timeout > 0) return spec.Timeout / NS_PER_MS;
  return spec.Args.length > 0 ? DEFAULT_SCRIPT_TIMEOUT_MS : DEFAULT_TIMEOUT_MS;
}

/** Undefined for checks that nobody looks at: TTL and alias. */
export function probeOf(spec: CheckSpec, context: ProbeContext): Probe | undefined {
  const { untrusted } = context;
  const maxOutputBytes = spec.OutputMaxSize > 0 ? spec.OutputMaxSize : context.maxOutputBytes;
  const tls = { tlsServerName: spec.TLSServerName, tlsSkipVerify: spec.TLSSkipVerify };
  switch (checkType(spec)) {
    case 'http':
      return httpProbe({
        url: spec.HTTP,
        method: spec.Method,
        headers: spec.Header,
        body: spec.Body,
        followRedirects: !spec.DisableRedirects,
        maxOutputBytes,
        ...tls,
        untrusted,
      });
    case 'tcp':
      return tcpProbe({ target: spec.TCP, untrusted });
    case 'udp':
      return udpProbe(spec.UDP, untrusted);
    case 'grpc':
      return grpcProbe({ target: spec.GRPC, tls: spec.GRPCUseTLS, ...tls, untrusted });
    case 'h2ping':
      return h2pingProbe({ target: spec.H2PING, tls: spec.H2PingUseTLS, ...tls, untrusted });
    case 'os_service':
      return osServiceProbe(spec.OSService, maxOutputBytes);
    case 'docker':
      return dockerProbe(spec, context, maxOutputBytes);
    case 'script':
      return scriptProbe({ args: spec.Args, timeoutMs: timeoutMs(spec), maxOutputBytes });
    default:
      return undefined;
  }
}

function dockerProbe(spec: CheckSpec, context: ProbeContext, maxOutputBytes: number): Probe {
  const { containerProbe } = context;
  if (containerProbe === undefined) {
    return () => Promise.reject(new Error('Docker is not reachable from this agent'));
  }
  const args = spec.Shell === '' ? spec.Args : [spec.Shell, '-c', spec.Args.join(' ')];
  return containerProbe({ containerId: spec.DockerContainerID, args }, maxOutputBytes);
}

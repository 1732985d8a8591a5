/** A command inside a container: exit code 0 is passing, 1 is warning, all else critical. */
import { ARGS, checkKind, type FromLabel, text } from './kind.ts';
import { inShell } from './script.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

const inContainer: FromLabel = (command, { containerId }) => ({
  Args: inShell(command),
  DockerContainerID: containerId,
});

export const docker = checkKind({
  type: 'docker',
  fields: { DockerContainerID: text, Shell: text, Args: ARGS },
  runsPrograms: true,
  timeoutMs: DEFAULT_TIMEOUT_MS,
  // Registrator leaves check_cmd to a script of that name which looks into the container.
  labels: { check_cmd: inContainer, check_docker: inContainer },

  probe: ({ DockerContainerID, Shell, Args }, { containerProbe, maxOutputBytes }) => {
    if (containerProbe === undefined) {
      return () => Promise.reject(new Error('Docker is not reachable from this agent'));
    }
    const args = Shell === '' ? Args : [Shell, '-c', Args.join(' ')];
    return containerProbe({ containerId: DockerContainerID, args }, maxOutputBytes);
  },
});

import assert from 'node:assert/strict';
import { fromDocker } from '../../../../agent/containers/runtimes/docker-container.ts';
import { dockerContainerOf } from '../../../support/servers/containers.ts';

describe("a container as Docker's API says it", () => {
  it('has the IPv6 address of a network that has no other', () => {
    const docker = dockerContainerOf();
    const v6 = { IPAddress: '', GlobalIPv6Address: 'fd00::7' };
    const { network } = fromDocker({
      ...docker,
      NetworkSettings: { ...docker.NetworkSettings, ...v6, Networks: { back: v6 } },
    });
    assert.equal(network.address, 'fd00::7');
    assert.deepEqual([...network.addresses], [['back', 'fd00::7']]);
  });
});

import { MemoryLog, MemoryStorage } from '../../../server/log/memory-log.ts';
import { describeEventLog } from '../../contract/event-log.contract.ts';

describeEventLog('MemoryLog', async () => {
  const storage = new MemoryStorage();
  return {
    open: (clock) => new MemoryLog({ clock, storage }),
    dispose: async () => {},
  };
});

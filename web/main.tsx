import { render } from 'preact';
import { startClock } from './core/clock.ts';
import { startKeys } from './core/keys.ts';
import { startLive } from './core/live.ts';
import { startOwnAgent } from './core/own-agent.ts';
import { startRights } from './core/rights.ts';
import { startRouter } from './core/router.ts';
import { Shell } from './shell.tsx';
import { startLanguage } from './words/preferred.ts';

startLanguage();
startRouter();
startLive();
startRights();
startOwnAgent();
startClock();
startKeys();
render(<Shell />, document.getElementById('page') ?? document.body);

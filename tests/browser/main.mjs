/** All browser tests, or those whose name contains one of the arguments. */
import { runAll } from './lib/runner.mjs';
import { closeBrowsers, World } from './lib/world.mjs';
import './stories/demo.mjs';
import './stories/together.mjs';
import './stories/chair.mjs';
import './stories/recovery.mjs';
import './stories/media.mjs';
import './stories/pictures.mjs';
import './stories/devices.mjs';
import './stories/firefox.mjs';
import './stories/door.mjs';
import './stories/start.mjs';
import './stories/page.mjs';
import './stories/dialogs.mjs';
import './stories/stoi.mjs';

const failed = await runAll(process.argv.slice(2), name => new World(name));
await closeBrowsers();
process.exit(failed > 0 ? 1 : 0);

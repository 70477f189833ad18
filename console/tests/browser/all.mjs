// Every story in one process, so that they share a browser and what their worlds begin with.
import './admin.test.mjs';
import './ask.test.mjs';
import './decision.test.mjs';
import './keyboard.test.mjs';
import './live.test.mjs';
import './way.test.mjs';

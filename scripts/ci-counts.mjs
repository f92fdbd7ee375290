// Prints the closing line of CI from vitest's JSON report: `N passed, M failed`, files that failed outside of a test (they did not load, or a hook failed) included.
import { readFileSync } from 'node:fs';

const [report, passedChecks, failedChecks] = process.argv.slice(2);
const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
const brokenFiles = testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
).length;
const passed = numPassedTests + Number(passedChecks);
const failed = numFailedTests + brokenFiles + Number(failedChecks);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);

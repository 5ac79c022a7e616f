// Evaluates expressions with the reference implementation of JSONata, the version that Step
// Functions names: [[expression, bindings], ...] from standard input, what each gives to standard
// output.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const jsonata = createRequire(process.argv[2])("jsonata");
const answers = [];
for (const [expression, bindings] of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    const program = jsonata(expression);
    // Step Functions' own, where the reference has nothing.
    program.registerFunction("parse", (text) => {
      if (typeof text !== "string") throw new Error("not a text");
      return JSON.parse(text);
    });
    const value = await program.evaluate(undefined, bindings);
    if (typeof value === "function" || value?._jsonata_lambda) answers.push({ error: "function" });
    else answers.push(value === undefined ? { nothing: true } : { value });
  } catch (problem) {
    answers.push({ error: String(problem.code ?? problem) });
  }
}
console.log(JSON.stringify(answers));

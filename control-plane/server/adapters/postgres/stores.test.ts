/** The Postgres adapters keep what the ports promise: the same suites as the memory twins, on a real server and two real pools. */
import { accessStoreSuite } from "../../ports/suites/access-store.suite.ts";
import { configurationStoreSuite } from "../../ports/suites/configuration-store.suite.ts";
import { decisionStoreSuite } from "../../ports/suites/decision-store.suite.ts";
import { evidenceStoreSuite } from "../../ports/suites/evidence-store.suite.ts";
import { leaseSuite } from "../../ports/suites/lease.suite.ts";
import { testStores, testStoresInTurn } from "./testing-stores.ts";

evidenceStoreSuite("postgres", testStores);
decisionStoreSuite("postgres", testStoresInTurn());
leaseSuite("postgres", testStoresInTurn());
configurationStoreSuite("postgres", testStores);
accessStoreSuite("postgres", testStores);

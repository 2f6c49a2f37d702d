/** The protocols there are. */
import { echo } from "./framers/delimiter.ts";
import { http } from "./framers/http.ts";
import { iso8583 } from "./framers/iso8583.ts";
import { length } from "./framers/length.ts";
import { modbus } from "./framers/modbus.ts";
import { mpu } from "./framers/mpu.ts";
import { redis } from "./framers/redis.ts";
import type { Protocol } from "./message.ts";
import type { ProtocolName } from "./mux-config.ts";

export const PROTOCOLS: Readonly<Record<ProtocolName, Protocol>> = {
  echo,
  http,
  iso8583,
  mpu,
  modbus,
  redis,
  length,
};

// SPDX-License-Identifier: Apache-2.0
// Column values of known types: a row of fifty columns has no time for fifty casts.

import GRDB

extension DatabaseValue {
    /// An unsigned 64-bit value as its two's complement.
    static func integer(_ value: some BinaryInteger) -> DatabaseValue { Int64(truncatingIfNeeded: value).databaseValue }

    static func text(_ value: String) -> DatabaseValue { value.databaseValue }

    static func textOrNull(_ value: String?) -> DatabaseValue { value?.databaseValue ?? .null }

    static func blob(_ value: [UInt8]) -> DatabaseValue { value.blob.databaseValue }

    static func boolean(_ value: Bool) -> DatabaseValue { value.databaseValue }
}

// SPDX-License-Identifier: Apache-2.0
// Writes sessions to a store and prints each id once the store has said that it is durable. The crash test kills it.

import BNGCore
import Foundation
import Logging
import Store
import Subscribers

@main
enum StoreWriter {
    static func main() throws {
        guard CommandLine.arguments.count == 3, let first = UInt64(CommandLine.arguments[2]) else {
            throw StoreError.database("usage: store-writer PATH FIRST-ID")
        }
        let store = try Store(path: CommandLine.arguments[1], logger: Logger(label: "writer"))
        for number in first..<first + 1_000_000 {
            let record = SessionRecord(
                id: SessionID(rawValue: number), generation: 1, phase: .active, node: "edge1",
                line: LineKey(accessDomain: 1, mac: MACAddress(rawValue: number)), tags: .untagged, relayMAC: .zero,
                vrf: 0, pool: "p", address: IPv4Address(rawValue: UInt32(number)), clientID: [1, 2, 3], option82: [],
                hostName: "host", started: UTCTime(milliseconds: 1), leaseExpires: UTCTime(milliseconds: 2))
            store.submit([.putSession(record)]) { result in
                guard case .success = result else { exit(3) }
                // A whole line in one write: the reader never sees half a number.
                let line = Array("\(number)\n".utf8)
                _ = line.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            }
            if number % 64 == 0 { usleep(500) }
        }
    }
}

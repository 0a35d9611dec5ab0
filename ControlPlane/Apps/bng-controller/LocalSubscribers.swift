// SPDX-License-Identifier: Apache-2.0
// The local directory of this controller: its file, its rows in the store, and its changes.

import BNGConfiguration
import Foundation
import LocalAAA
import Logging
import Store
import Subscribers

struct SubscriberStoreAdapter: SubscriberStoring {
    let store: Store

    func put(_ subscriber: LocalSubscriber) async throws { try await self.store.submit([.putSubscriber(subscriber)]) }
    func remove(_ name: String) async throws { try await self.store.submit([.removeSubscriber(name: name)]) }
}

extension ControllerConfiguration {
    /// What the file of subscribers says; empty without one.
    func subscribersOfFile() throws -> [LocalSubscriber] {
        let path = self.aaa.subscribers
        guard !path.isEmpty else { return [] }
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw StartError(description: "aaa.subscribers: \(path): cannot be read: \(error.localizedDescription)")
        }
        return try LocalSubscriber.read(yaml: text, file: path, catalog: self.catalog)
    }

    func subscriberRegistry(
        stored: [LocalSubscriber], store: Store, logger: Logger, changed: @escaping @Sendable (String) -> Void
    ) throws -> SubscriberRegistry {
        let file = try self.subscribersOfFile()
        let names = Set(file.map(\.name))
        for subscriber in stored where names.contains(subscriber.name) {
            logger.warning(
                "a subscriber is defined in the file and in the store; the file's counts",
                metadata: ["subscriber": "\(subscriber.name)", "file": "\(self.aaa.subscribers)"])
        }
        return SubscriberRegistry(
            file + stored, catalog: self.catalog, cryptography: try CryptoPasswords(keyFile: self.aaa.keyFile),
            store: SubscriberStoreAdapter(store: store)
        ) { name in
            logger.notice("subscriber changed", metadata: ["subscriber": "\(name)"])
            changed(name)
        }
    }
}

extension SubscriberRegistry {
    func reportUnservable(to logger: Logger) {
        for (name, problem) in self.unservable() {
            logger.error(
                "a local subscriber cannot be served",
                metadata: ["subscriber": "\(name)", "problem": "\(problem)"])
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// After a restart: of the controller, whose sessions come from the store, or of a node's host, whose maps are gone.

import BNGCore
import Fleet
import Subscribers

extension LineShard {
    /// The node's maps are gone and with them renewals it had not yet reported, and its counters: every lease may have been
    /// renewed up to now.
    func nodeLostState(_ node: NodeName) {
        self.loop.preconditionInEventLoop()
        let now = self.world.utcNow()
        for entry in self.byID.values where entry.session?.record.node == node && entry.session?.isActive == true {
            self.perform(entry, .session(.countersLost))
            // A PPPoE session has no lease.
            if entry.session?.record.address != .zero {
                let until = entry.ppp == nil ? now + (entry.pool?.template.lease ?? 0) : .zero
                self.perform(entry, .session(.confirm(until: until, at: now)))
            }
            if let details = entry.session?.intendedIPv6 { self.confirm(details, entry) }
        }
        self.flush()
    }

    /// Puts a stored session back and wants its node to hold it, or not to.
    func restore(_ record: SessionRecord) {
        self.loop.preconditionInEventLoop()
        let pool = self.world.pools[record.pool]
        guard pool != nil || record.address == .zero else { return }
        let active = record.phase == .active
        let hasAddress = active && record.address != .zero
        let entry = LineEntry(
            line: record.line, pool: pool ?? self.world.pool(for: record.line.accessDomain, relay: record.line.relay),
            boundTo: hasAddress ? record.address : nil)
        entry.hasStarted = true
        entry.accounted = record.holdings
        // Something else than it would be told now, so that it is told.
        entry.advertised = record.ipv6 == nil ? 0 : 1
        entry.session = SessionMachine(restored: record)
        entry.path = ReplyPath(
            node: record.node, port: record.port, portMAC: .zero, tags: record.tags,
            peerMAC: record.line.relay == .zero ? record.line.mac : record.relayMAC)
        if record.line.pppoeID != 0 { self.restorePPP(entry, record) }
        entry.presentation = record.presentation
        self.add(entry, id: record.id)
        self.sessionIndex.add(record)
        self.resumeOutside(record)
        guard active else { return self.remove(record) }
        guard let profile = self.world.profile(of: record), record.line.pppoeID == 0 || entry.ppp != nil else {
            // Its plan, filter, pool or PPPoE is no longer configured: it cannot be served as it was promised.
            return self.perform(entry, .session(.end(.configuration, at: self.world.utcNow())))
        }
        self.restoreClaim(entry, profile)
        self.schedule(entry)
        self.scheduleForwards(entry)
        let variant = TemplateVariant(pool: record.pool, dns: profile.dns, prefixLength: profile.prefixLength)
        guard let pool, !variant.isPlain, entry.ppp == nil else { return self.reinstall(record, entry) }
        self.world.link.prepare(variant) { templateID in
            self.onLoop {
                guard let entry = self.byID[record.id] else { return }
                entry.serve(from: pool, variant, templateID: templateID)
                self.reinstall(record, entry)
            }
        }
    }

    private func reinstall(_ record: SessionRecord, _ entry: LineEntry) {
        self.install(record, entry, answers: false)
        self.reviseIPv6(entry)
    }
}

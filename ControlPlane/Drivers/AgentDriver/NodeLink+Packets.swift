// SPDX-License-Identifier: Apache-2.0
// The punt lane: packets up within credits, packets down in batches (docs/contract.md section 8).

import AgentContract
import BNGCore
import Fleet
import Foundation
import NIOCore

extension NodeLink {
    /// - Throws: `CREDIT_EXCEEDED`, `MALFORMED`.
    func received(_ batch: Wire.PuntBatch) throws(ContractError) {
        self.snapshot.traffic.puntsDropped = batch.dropped
        var packets: [PuntedPacket] = []
        packets.reserveCapacity(batch.punts.count)
        for punt in batch.punts {
            guard punt.frame.count <= Wire.packetLimit else {
                throw ContractError(.malformed, "a punted frame of \(punt.frame.count) bytes", path: "8.1.5")
            }
            guard let packet = PuntedPacket(punt) else { continue }
            guard self.credits[packet.puntClass]?.received(1) == true else {
                throw ContractError(.creditExceeded, "class \(packet.puntClass)", path: "8.1.1")
            }
            self.snapshot.traffic.punts[packet.puntClass, default: 0] += 1
            self.count(reason: packet.reason)
            packets.append(packet)
        }
        if !packets.isEmpty { self.core.punted(self, packets) }
    }

    private func count(reason: String) {
        if self.snapshot.traffic.puntReasons[reason] != nil || self.snapshot.traffic.puntReasons.count < 128 {
            self.snapshot.traffic.puntReasons[reason, default: 0] += 1
        }
    }

    func processed(_ puntClass: PuntClass, _ count: Int) {
        self.credits[puntClass]?.processed(count)
        self.core.needsFlush(self)
    }

    func flushCredits() {
        guard let punt = self.association?.punt else { return }
        for puntClass in PuntClass.allCases where puntClass != .pcp || self.mayHavePCP {
            guard let grant = self.credits[puntClass]?.grant(), grant > 0 else { continue }
            punt.send(
                .puntCredit(
                    .with {
                        $0.puntClass = Wire.PuntClass(puntClass)
                        $0.credits = UInt32(grant)
                    }))
        }
        punt.flush()
    }

    func inject(_ frame: [UInt8], port: String, requires: (session: SessionID, generation: Generation)?) {
        guard self.association?.punt != nil, self.injects.count < self.core.configuration.limits.queuedInjects,
            (14...Wire.packetLimit).contains(frame.count)
        else {
            self.snapshot.traffic.injectsDropped += 1
            return
        }
        self.injects.append(
            .with {
                $0.port = port
                $0.frame = Data(frame)
                if let requires {
                    $0.requiresSessionID = requires.session.rawValue
                    $0.requiresGeneration = requires.generation
                }
            })
        self.core.needsFlush(self)
    }

    func flushInjects() {
        // 256 of the largest packets stay below the frame limit.
        while let punt = self.association?.punt, !self.injects.isEmpty, punt.isWritable {
            let part = self.injects.prefix(256)
            self.snapshot.traffic.injects += UInt64(part.count)
            punt.send(.injects(.with { $0.injects = Array(part) }))
            self.injects.removeFirst(part.count)
        }
        self.association?.punt?.flush()
    }
}

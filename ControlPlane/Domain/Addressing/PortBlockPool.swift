// SPDX-License-Identifier: Apache-2.0
// One pool of public addresses for NAT, cut into blocks of ports, and the only place that decides who holds which.

import BNGCore

/// A block of ports of one public address; with all of them, the address.
public struct PortBlock: Hashable, Sendable {
    public var address: IPv4Address
    public var firstPort: UInt16
    /// How many; 0: the whole address.
    public var ports: UInt16

    public init(address: IPv4Address, firstPort: UInt16, ports: UInt16) {
        self.address = address
        self.firstPort = firstPort
        self.ports = ports
    }

    fileprivate func overlaps(_ first: Int, _ count: Int) -> Bool {
        self.ports == 0 || (Int(self.firstPort) < first + count && first < Int(self.firstPort) + Int(self.ports))
    }
}

/// An allocator of port blocks. All blocks of a session are of one address (RFC 4787 REQ-2, paired pooling). Every operation is
/// O(1) amortised; memory grows with the addresses.
///
/// Life of a block: free → held(session) → resting (RFC 6888 REQ-8) → free. Sessions begin on the address with the most blocks
/// free, so that they find more on it later.
public struct PortBlockPool: Sendable {
    /// How a session's blocks are found.
    public enum Layout: Equatable, Sendable {
        /// Of `size` ports each, as sessions need them, at most `limit` for one.
        case dynamic(size: UInt16, limit: Int)
        /// RFC 7422: the n-th inside address has the n-th block, computable from configuration alone.
        case deterministic(size: UInt16, inside: IPv4Prefix)
        /// An address for each session.
        case oneToOne

        /// Ports of a block; 0: one to one.
        public var blockPorts: UInt16 {
            switch self {
            case .oneToOne: return 0
            case .dynamic(let size, _), .deterministic(let size, _): return size
            }
        }
    }

    public enum Denial: Equatable, Sendable {
        case exhausted
        /// The session holds as many blocks as it may.
        case limit
        /// The inside address is not among those the layout computes blocks for.
        case outsideLayout
        /// Another session holds the block, or it rests after one.
        case held
    }

    public struct Usage: Equatable, Sendable {
        public var addresses = 0
        /// Blocks in all; of one to one: addresses.
        public var total = 0
        public var held = 0
        public var resting = 0
        public var exhausted: UInt64 = 0
        public var alarm = false

        public init() {}
    }

    /// One public address: which blocks are free, as bits.
    private struct Address: Sendable {
        var free: [UInt64]
        var freeCount: Int
        /// Position in `byFree[freeCount]`.
        var place = 0
        /// Where the search for a free block begins: a block just returned is found last.
        var cursor = 0
    }

    public let name: String
    public let layout: Layout
    private let ports: ClosedRange<UInt16>
    private let ranges: AddressRanges
    private let firstIndex: [Int]
    private let alarm: PoolAlarm
    private let blocksPerAddress: Int
    private var addresses: [Address]
    /// Indices of addresses by the number of their free blocks.
    private var byFree: [[Int]]
    private var mostFree: Int
    private var holders: [PortBlock: SessionID] = [:]
    private var held: [SessionID: [PortBlock]] = [:]
    /// Single ports below 1,024.
    private var lowPorts: [PortBlock: SessionID] = [:]
    /// Blocks of an older cut of the pool that are held or rest, over each block of this one.
    private var shadows: [PortBlock: Int] = [:]
    private var resting = ReturnQueue<PortBlock>()
    private var restingUntil: [PortBlock: UTCTime] = [:]
    private var counts = Usage()

    /// nil if no block fits into `ports`, a size is not a power of two from 64 on, or the inside addresses of a deterministic
    /// layout are more than there are blocks.
    ///
    /// - Parameters:
    ///   - addresses: public ones; all of a range is used.
    ///   - ports: what blocks are cut from; from 1,024 on. Blocks begin at multiples of 64.
    ///   - alarmPercent: share of the blocks held from which `usage` shows an alarm; 0: never.
    public init?(
        name: String, addresses: [IPv4Range], ports: ClosedRange<UInt16> = 1_024...65_535, layout: Layout,
        alarmPercent: Int = 0
    ) {
        if case .dynamic(_, let limit) = layout, !(1...8).contains(limit) { return nil }
        let size = layout.blockPorts
        let first = (Int(ports.lowerBound) + 63) / 64 * 64
        let perAddress = size == 0 ? 1 : (Int(ports.upperBound) + 1 - first) / Int(size)
        guard size == 0 || (size >= 64 && size <= 16_384 && size & (size - 1) == 0), ports.lowerBound >= 1_024,
            perAddress > 0
        else { return nil }
        let ranges = AddressRanges(addresses)
        if case .deterministic(_, let inside) = layout,
            Int(inside.last.rawValue - inside.first.rawValue) + 1 > ranges.count * perAddress
        {
            return nil
        }
        self.name = name
        self.layout = layout
        self.ports = UInt16(first)...ports.upperBound
        self.ranges = ranges
        var index = 0
        self.firstIndex = ranges.sorted.map { range in
            defer { index += range.count }
            return index
        }
        self.alarm = PoolAlarm(percent: alarmPercent)
        self.blocksPerAddress = perAddress
        var free = [UInt64](repeating: ~0, count: (perAddress + 63) / 64)
        if perAddress % 64 != 0 { free[free.count - 1] = (1 << UInt64(perAddress % 64)) - 1 }
        self.addresses = (0..<ranges.count).map { Address(free: free, freeCount: perAddress, place: $0) }
        self.byFree = Array(repeating: [], count: perAddress + 1)
        self.byFree[perAddress] = Array(0..<ranges.count)
        self.mostFree = perAddress
        self.counts.addresses = ranges.count
        self.counts.total = ranges.count * perAddress
    }

    /// Ports of a block; 0: one to one.
    public var blockPorts: UInt16 { self.layout.blockPorts }

    public var usage: Usage { self.counts }

    public func holder(of block: PortBlock) -> SessionID? { self.holders[block] }

    /// What a session holds, in the order it got it.
    public func blocks(of session: SessionID) -> [PortBlock] { self.held[session] ?? [] }

    // MARK: Taking

    /// A session's first block, or one more on its address.
    /// - Parameter inside: the session's own address, for a deterministic layout.
    public mutating func take(
        for session: SessionID, inside: IPv4Address, now: UTCTime
    ) -> Result<PortBlock, DenialError> {
        self.wake(now)
        let own = self.held[session] ?? []
        switch self.layout {
        case .deterministic:
            guard own.isEmpty else { return .failure(.limit) }
            guard let block = self.deterministicBlock(of: inside) else { return .failure(.outsideLayout) }
            guard self.isFree(block) else { return .failure(.held) }
            return .success(self.give(block, to: session))
        case .oneToOne where !own.isEmpty: return .failure(.limit)
        case .dynamic(_, let limit) where own.count >= limit: return .failure(.limit)
        case .oneToOne, .dynamic: break
        }
        guard let index = own.first.flatMap({ self.index(of: $0.address) }) ?? self.byFree[self.mostFree].last,
            let block = self.firstFree(of: index)
        else {
            self.counts.exhausted += 1
            return .failure(.exhausted)
        }
        return .success(self.give(block, to: session))
    }

    /// RFC 7422 2: the block of an inside address.
    public func deterministicBlock(of inside: IPv4Address) -> PortBlock? {
        guard case .deterministic(let size, let prefix) = self.layout, prefix.contains(inside) else { return nil }
        let number = Int(inside.rawValue - prefix.address.rawValue)
        let first = Int(self.ports.lowerBound) + number % self.blocksPerAddress * Int(size)
        return PortBlock(
            address: self.address(number / self.blocksPerAddress), firstPort: UInt16(first), ports: size)
    }

    /// One port below 1,024 of an address the session holds a block of.
    public mutating func takeLowPort(_ port: UInt16, for session: SessionID) -> Bool {
        guard (1..<1_024).contains(port), let address = self.held[session]?.first?.address else { return false }
        let key = PortBlock(address: address, firstPort: port, ports: 1)
        guard self.lowPorts[key] == nil || self.lowPorts[key] == session else { return false }
        self.lowPorts[key] = session
        return true
    }

    public mutating func giveLowPort(_ port: UInt16, of session: SessionID) {
        guard let address = self.held[session]?.first?.address else { return }
        let key = PortBlock(address: address, firstPort: port, ports: 1)
        if self.lowPorts[key] == session { self.lowPorts[key] = nil }
    }

    // MARK: Giving back

    /// Takes everything back that a session holds. It rests until `until`.
    /// - Returns: the blocks it held.
    @discardableResult
    public mutating func release(_ session: SessionID, until: UTCTime) -> [PortBlock] {
        guard let blocks = self.held.removeValue(forKey: session) else { return [] }
        self.lowPorts = self.lowPorts.isEmpty ? [:] : self.lowPorts.filter { $0.value != session }
        for block in blocks {
            self.holders[block] = nil
            self.counts.held -= 1
            self.rest(block, until: until)
        }
        self.watch()
        return blocks
    }

    /// Takes one block back, the session's last one but not its only one. It rests until `until`.
    @discardableResult
    public mutating func release(_ block: PortBlock, of session: SessionID, until: UTCTime) -> Bool {
        guard self.holders[block] == session, var own = self.held[session], own.count > 1 else { return false }
        own.removeAll { $0 == block }
        self.held[session] = own
        self.holders[block] = nil
        self.counts.held -= 1
        self.rest(block, until: until)
        self.watch()
        return true
    }

    private mutating func rest(_ block: PortBlock, until: UTCTime) {
        guard self.index(of: block.address) != nil else { return }
        self.restingUntil[block] = until
        self.resting.push(block, readyAt: until)
        self.counts.resting += 1
    }

    private mutating func wake(_ now: UTCTime) {
        while let block = self.resting.popReady(now) {
            guard self.restingUntil.removeValue(forKey: block) != nil else { continue }
            self.counts.resting -= 1
            self.setFree(block, true)
        }
    }

    // MARK: Restoring

    /// Puts back what a stored session holds, also of an older cut of the pool. False, and nothing is changed, if another session
    /// holds one of the ports.
    public mutating func restore(_ blocks: [PortBlock], session: SessionID) -> Bool {
        guard blocks.allSatisfy({ self.canHold($0, session) }) else { return false }
        for block in blocks where self.holders[block] == nil {
            if self.restingUntil.removeValue(forKey: block) != nil {
                self.counts.resting -= 1
            } else {
                self.setFree(block, false)
            }
            self.enter(block, session)
        }
        return true
    }

    /// Puts back a block that rested when the process stopped: after all sessions.
    public mutating func restore(resting block: PortBlock, until: UTCTime) {
        guard self.holders[block] == nil, self.restingUntil[block] == nil, self.index(of: block.address) != nil
        else { return }
        self.setFree(block, false)
        self.rest(block, until: until)
    }

    // MARK: The tables

    private mutating func give(_ block: PortBlock, to session: SessionID) -> PortBlock {
        self.setFree(block, false)
        self.enter(block, session)
        return block
    }

    private mutating func enter(_ block: PortBlock, _ session: SessionID) {
        self.holders[block] = session
        self.held[session, default: []].append(block)
        self.counts.held += 1
        self.watch()
    }

    private mutating func watch() {
        self.counts.alarm = self.alarm.isRaised(self.counts.alarm, held: self.counts.held, of: self.counts.total)
    }

    private func address(_ index: Int) -> IPv4Address {
        var (low, high) = (0, self.firstIndex.count)
        while low + 1 < high {
            let middle = (low + high) / 2
            if self.firstIndex[middle] <= index { low = middle } else { high = middle }
        }
        return IPv4Address(
            rawValue: self.ranges.sorted[low].first.rawValue + UInt32(index - self.firstIndex[low]))
    }

    private func index(of address: IPv4Address) -> Int? {
        var (low, high) = (0, self.ranges.sorted.count)
        while low < high {
            let middle = (low + high) / 2
            let range = self.ranges.sorted[middle]
            if range.contains(address) {
                return self.firstIndex[middle] + Int(address.rawValue - range.first.rawValue)
            }
            if range.last < address { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// Where a block's bit is; nil: it is none of this pool's as it is cut now.
    private func bit(of block: PortBlock) -> (index: Int, bit: Int)? {
        guard block.ports == self.blockPorts, let index = self.index(of: block.address) else { return nil }
        let size = Int(self.blockPorts)
        guard size > 0 else { return block.firstPort == 0 ? (index, 0) : nil }
        let offset = Int(block.firstPort) - Int(self.ports.lowerBound)
        guard offset >= 0, offset % size == 0, offset / size < self.blocksPerAddress else { return nil }
        return (index, offset / size)
    }

    private mutating func firstFree(of index: Int) -> PortBlock? {
        let address = self.addresses[index]
        guard address.freeCount > 0 else { return nil }
        let words = address.free.count
        for step in 0...words {
            let word = (address.cursor / 64 + step) % words
            var bits = address.free[word]
            if step == 0 { bits &= ~0 << UInt64(address.cursor % 64) }
            guard bits != 0 else { continue }
            let bit = word * 64 + bits.trailingZeroBitCount
            self.addresses[index].cursor = (bit + 1) % self.blocksPerAddress
            let first = self.blockPorts == 0 ? 0 : Int(self.ports.lowerBound) + bit * Int(self.blockPorts)
            return PortBlock(address: self.address(index), firstPort: UInt16(first), ports: self.blockPorts)
        }
        return nil
    }

    private func isFree(_ block: PortBlock) -> Bool {
        guard let (index, bit) = self.bit(of: block) else { return false }
        return self.addresses[index].free[bit / 64] & (1 << UInt64(bit % 64)) != 0
    }

    private func canHold(_ block: PortBlock, _ session: SessionID) -> Bool {
        if let holder = self.holders[block] { return holder == session }
        guard self.bit(of: block) == nil else { return self.isFree(block) || self.restingUntil[block] != nil }
        return self.present(under: block).allSatisfy { self.holders[$0] == nil }
    }

    /// Blocks of the present cut that share ports with one of another.
    private func present(under block: PortBlock) -> [PortBlock] {
        guard self.index(of: block.address) != nil else { return [] }
        guard self.blockPorts > 0 else { return [PortBlock(address: block.address, firstPort: 0, ports: 0)] }
        let size = Int(self.blockPorts)
        return (0..<self.blocksPerAddress).compactMap { number in
            let first = Int(self.ports.lowerBound) + number * size
            guard block.overlaps(first, size) else { return nil }
            return PortBlock(address: block.address, firstPort: UInt16(first), ports: self.blockPorts)
        }
    }

    /// Blocks of an older cut have no bit of their own: as long as they are held or rest, those they lie over are not free.
    private mutating func setFree(_ block: PortBlock, _ isFree: Bool) {
        guard self.bit(of: block) == nil else { return self.setBit(block, isFree) }
        for under in self.present(under: block) {
            let count = self.shadows[under, default: 0] + (isFree ? -1 : 1)
            self.shadows[under] = count == 0 ? nil : count
            if count == 0 || !isFree { self.setBit(under, isFree) }
        }
    }

    private mutating func setBit(_ block: PortBlock, _ isFree: Bool) {
        guard let (index, bit) = self.bit(of: block) else { return }
        let mask: UInt64 = 1 << UInt64(bit % 64)
        let wasFree = self.addresses[index].free[bit / 64] & mask != 0
        // What lies under a block of another cut, is held or rests is not free, whoever else lets go of it.
        if isFree, self.shadows[block] != nil || self.holders[block] != nil || self.restingUntil[block] != nil {
            return
        }
        guard wasFree != isFree else { return }
        self.addresses[index].free[bit / 64] ^= mask
        self.move(index, to: self.addresses[index].freeCount + (isFree ? 1 : -1))
    }

    private mutating func move(_ index: Int, to count: Int) {
        let (before, place) = (self.addresses[index].freeCount, self.addresses[index].place)
        let last = self.byFree[before].removeLast()
        if last != index {
            self.byFree[before][place] = last
            self.addresses[last].place = place
        }
        self.addresses[index].place = self.byFree[count].count
        self.addresses[index].freeCount = count
        self.byFree[count].append(index)
        if count > self.mostFree { self.mostFree = count }
        while self.mostFree > 0, self.byFree[self.mostFree].isEmpty { self.mostFree -= 1 }
    }
}

extension PortBlockPool {
    public struct DenialError: Error, Equatable, Sendable {
        public var reason: Denial

        public init(reason: Denial) { self.reason = reason }

        static let exhausted = DenialError(reason: .exhausted)
        static let limit = DenialError(reason: .limit)
        static let outsideLayout = DenialError(reason: .outsideLayout)
        static let held = DenialError(reason: .held)
    }
}
